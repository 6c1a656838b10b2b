export * from './cognito-authorizer';
