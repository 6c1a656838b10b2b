'use strict';
// The construct, synthesised: what API Gateway, Lambda and IAM are given.
const { test } = require('node:test');
const assert = require('node:assert/strict');
const fs = require('node:fs');
const os = require('node:os');
const path = require('node:path');
const { App, Stack, Validations } = require('aws-cdk-lib');
const { Annotations, Match, Template } = require('aws-cdk-lib/assertions');
const apigateway = require('aws-cdk-lib/aws-apigateway');
const apigatewayv2 = require('aws-cdk-lib/aws-apigatewayv2');
const integrations = require('aws-cdk-lib/aws-apigatewayv2-integrations');
const cognito = require('aws-cdk-lib/aws-cognito');
const dynamodb = require('aws-cdk-lib/aws-dynamodb');
const lambda = require('aws-cdk-lib/aws-lambda');
const sqs = require('aws-cdk-lib/aws-sqs');
const nag = require('cdk-nag');
const { CognitoAuthorizer } = require('..');

const packaged = fs.mkdtempSync(path.join(os.tmpdir(), 'package-'));
fs.writeFileSync(path.join(packaged, 'bootstrap'), '');
process.on('exit', () => fs.rmSync(packaged, { recursive: true }));
const PACKAGES = { authorizerPackage: packaged, revokerPackage: packaged };

function stacked(props = {}, environment = undefined) {
  const stack = new Stack(new App(), 'Test', environment && { env: environment });
  return { stack, authorizer: new CognitoAuthorizer(stack, 'Authorizer', { ...PACKAGES, ...props }) };
}

function withPool(stack) {
  const userPool = new cognito.UserPool(stack, 'Pool');
  return { userPool, clients: [userPool.addClient('Web')] };
}

function imported(stack, pool = 'eu-west-1_AbCdEf123') {
  const clients = [cognito.UserPoolClient.fromUserPoolClientId(stack, 'Web', 'web')];
  return { userPool: cognito.UserPool.fromUserPoolId(stack, 'Pool', pool), clients };
}

const backend = (stack) => lambda.Function.fromFunctionArn(stack, 'Backend', 'arn:aws:lambda:us-east-1:111122223333:function:backend');
const of = (template, type) => Object.values(template.findResources(type)).map((each) => each.Properties);

test('a REST API caches by token, method and path, or not at all', () => {
  const { stack, authorizer } = stacked();
  const api = new apigateway.RestApi(stack, 'Api', { cloudWatchRole: false });
  const { cached, live } = authorizer.restAuthorizers();
  api.root.addResource('items').addMethod('GET', undefined, { authorizer: cached });
  api.root.addResource('admin').addMethod('ANY', undefined, { authorizer: live });
  assert.equal(authorizer.restAuthorizers(), authorizer.restAuthorizers());
  const made = of(Template.fromStack(stack), 'AWS::ApiGateway::Authorizer');
  assert.deepEqual(
    made.map((each) => [each.Type, each.IdentitySource, each.AuthorizerResultTtlInSeconds]).sort(),
    [
      ['REQUEST', 'method.request.header.Authorization', 0],
      ['REQUEST', 'method.request.header.Authorization,context.httpMethod,context.path', 60],
    ],
  );
});

test('an HTTP API caches only where the route key tells methods apart', () => {
  const { stack, authorizer } = stacked();
  const function_ = backend(stack);
  const expected = {};
  for (const name of ['One', 'Two']) {
    const integration = new integrations.HttpLambdaIntegration('Integration', function_);
    const api = new apigatewayv2.HttpApi(stack, name, { defaultAuthorizer: authorizer.httpAuthorizer(), defaultIntegration: integration });
    api.addRoutes({ path: '/items', methods: [apigatewayv2.HttpMethod.GET, apigatewayv2.HttpMethod.POST], integration });
    api.addRoutes({ path: '/any', methods: [apigatewayv2.HttpMethod.ANY], integration });
    api.addRoutes({ path: '/live', methods: [apigatewayv2.HttpMethod.GET], integration, authorizer: authorizer.httpAuthorizer({ live: true }) });
    Object.assign(expected, { 'GET /items': 60, 'POST /items': 60, 'ANY /any': 0, $default: 0, 'GET /live': 0 });
  }
  const template = Template.fromStack(stack);
  const made = template.findResources('AWS::ApiGatewayV2::Authorizer');
  assert.equal(Object.keys(made).length, 4);
  for (const { Properties: each } of Object.values(made)) {
    assert.deepEqual(each.IdentitySource, ['$request.header.Authorization', '$context.routeKey', '$context.path']);
    assert.equal(each.EnableSimpleResponses, true);
    assert.equal(each.AuthorizerPayloadFormatVersion, '2.0');
  }
  const routes = of(template, 'AWS::ApiGatewayV2::Route');
  assert.equal(routes.length, 10);
  for (const route of routes) {
    assert.equal(route.AuthorizationType, 'CUSTOM');
    const { ApiId, AuthorizerResultTtlInSeconds: ttl } = made[route.AuthorizerId.Ref].Properties;
    assert.equal(ttl, expected[route.RouteKey], route.RouteKey);
    assert.deepEqual(ApiId, route.ApiId);
  }
});

test('a WebSocket API takes the token wherever it is', () => {
  const { stack, authorizer } = stacked();
  const integration = new integrations.WebSocketLambdaIntegration('Integration', backend(stack));
  new apigatewayv2.WebSocketApi(stack, 'Api', { connectRouteOptions: { integration, authorizer: authorizer.webSocketAuthorizer() } });
  const [made] = of(Template.fromStack(stack), 'AWS::ApiGatewayV2::Authorizer');
  assert.deepEqual(made.IdentitySource, []);
  assert.equal(made.AuthorizerResultTtlInSeconds, undefined);
});

test('API Gateway may ask, for each API and nothing else', () => {
  const { stack, authorizer } = stacked();
  const api = new apigateway.RestApi(stack, 'Api', { cloudWatchRole: false });
  api.root.addMethod('GET', undefined, { authorizer: authorizer.restAuthorizers().cached });
  const granted = of(Template.fromStack(stack), 'AWS::Lambda::Permission').filter((each) => each.Principal === 'apigateway.amazonaws.com');
  assert.equal(granted.length, 1);
  assert.match(JSON.stringify(granted[0].SourceArn), /authorizers/);
});

test('what is made is the template of the same release, without conditions', () => {
  const { stack } = stacked();
  const made = Template.fromStack(stack).toJSON();
  assert.equal(made.Conditions, undefined);
  const included = JSON.parse(fs.readFileSync(path.join(__dirname, '../template.json'), 'utf8')).Resources;
  const kinds = (resources, wanted = () => true) => Object.values(resources).filter(wanted).map((each) => each.Type).sort();
  // Without a pool there is no canary; without other accounts no permissions of theirs.
  const unconditional = (each) => !each.Condition || each.Condition === 'MakesTable';
  assert.deepEqual(kinds(made.Resources), kinds(included, unconditional));
});

test('a pool of the same stack, its clients and the configuration are what the function reads', () => {
  const stack = new Stack(new App(), 'Test');
  new CognitoAuthorizer(stack, 'Authorizer', { ...PACKAGES, ...withPool(stack), config: 'routes: {}' });
  const template = Template.fromStack(stack);
  const pool = Object.keys(template.findResources('AWS::Cognito::UserPool'))[0];
  const [variables] = of(template, 'AWS::Lambda::Function').filter((each) => each.MemorySize === 256).map((each) => each.Environment.Variables);
  assert.deepEqual(variables.USER_POOL_ID, { Ref: pool });
  assert.equal(variables.AUTHORIZER_CONFIG, 'routes: {}');
  assert.match(JSON.stringify(variables.CLIENT_IDS), /"Ref":"PoolWeb/);
  assert.match(JSON.stringify(variables.REVOCATIONS_TABLE), /"Ref":"AuthorizerResourcesRevocationsTable/);
  template.resourceCountIs('AWS::Scheduler::Schedule', 1);
  template.hasResource('AWS::DynamoDB::Table', { DeletionPolicy: 'RetainExceptOnCreate', Properties: { DeletionProtectionEnabled: true } });
});

test('a table that exists is read, and none is made', () => {
  const stack = new Stack(new App(), 'Test');
  const revocationsTable = dynamodb.Table.fromTableName(stack, 'Table', 'kept');
  const made = new CognitoAuthorizer(stack, 'Authorizer', { ...PACKAGES, revocationsTable });
  const template = Template.fromStack(stack);
  template.resourceCountIs('AWS::DynamoDB::Table', 0);
  template.hasResourceProperties('AWS::IAM::Role', { Policies: Match.arrayWith([Match.objectLike({ PolicyDocument: Match.objectLike({}) })]) });
  assert.equal(stack.resolve(made.revocationsTableName), 'kept');
  assert.match(JSON.stringify(template.toJSON()), /table\/.*kept/);
});

test('what cannot work is said when it is built', () => {
  const stack = new Stack(new App(), 'Test');
  const userPool = new cognito.UserPool(stack, 'Pool');
  assert.throws(() => new CognitoAuthorizer(stack, 'A', { ...PACKAGES, userPool }), /clients must say/);
  assert.throws(() => new CognitoAuthorizer(stack, 'B', { ...PACKAGES, config: 'x'.repeat(4000) }), /4,096/);
  assert.throws(() => new CognitoAuthorizer(stack, 'C', { ...PACKAGES, callingAccounts: ['1', '2', '3', '4'] }), /three at most/);
});

test('a pool of another Region is warned of', () => {
  const stack = new Stack(new App(), 'Test', { env: { region: 'us-east-1', account: '111122223333' } });
  new CognitoAuthorizer(stack, 'Authorizer', { ...PACKAGES, ...imported(stack) });
  Annotations.fromStack(stack).hasWarning('*', Match.stringLikeRegexp('hears of its sign-outs only in a stack there'));
});

test('cdk-nag finds nothing but what the construct explains', () => {
  const app = new App();
  const stack = new Stack(app, 'Test');
  new CognitoAuthorizer(stack, 'Authorizer', { ...PACKAGES, ...imported(stack) });
  Validations.of(app).addPlugins(new nag.AwsSolutionsChecks(app));
  app.synth();
  const report = JSON.parse(fs.readFileSync(path.join(app.outdir, 'validation-report.json'), 'utf8'));
  assert.match(JSON.stringify(report), /AwsSolutions/);
});

test('cdk-nag looks: a queue that is not encrypted on the way is found', () => {
  const app = new App();
  new sqs.Queue(new Stack(app, 'Test'), 'Queue');
  Validations.of(app).addPlugins(new nag.AwsSolutionsChecks(app));
  const silent = console.error;
  console.error = () => {};
  try {
    assert.throws(() => app.synth(), /Validation failed/);
  } finally {
    console.error = silent;
    process.exitCode = 0;
  }
});
