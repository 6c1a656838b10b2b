import * as fs from 'fs';
import * as os from 'os';
import * as path from 'path';
import { Annotations, Aws, Duration, Stack, Token, Validations } from 'aws-cdk-lib';
import * as apigateway from 'aws-cdk-lib/aws-apigateway';
import * as apigatewayv2 from 'aws-cdk-lib/aws-apigatewayv2';
import * as authorizers from 'aws-cdk-lib/aws-apigatewayv2-authorizers';
import * as cognito from 'aws-cdk-lib/aws-cognito';
import * as dynamodb from 'aws-cdk-lib/aws-dynamodb';
import * as iam from 'aws-cdk-lib/aws-iam';
import * as kms from 'aws-cdk-lib/aws-kms';
import * as lambda from 'aws-cdk-lib/aws-lambda';
import * as logs from 'aws-cdk-lib/aws-logs';
import * as assets from 'aws-cdk-lib/aws-s3-assets';
import * as sns from 'aws-cdk-lib/aws-sns';
import * as include from 'aws-cdk-lib/cloudformation-include';
import { Construct } from 'constructs';
import { evaluated } from './evaluation';

/** All of a function's environment variables together. */
const ENVIRONMENT_BYTES = 4096;
/** API Gateway keeps an answer for as long, and for as long a token may go on working after it expired. */
const CACHE = Duration.seconds(60);
const HEADER = 'Authorization';

export interface CognitoAuthorizerProps {
  /**
   * The authorizer's package: a folder or a zip with `bootstrap`, and `authorizer.yaml` where `config` is not given.
   */
  readonly authorizerPackage: string;

  /** The revoker's package: a folder or a zip with `bootstrap`. */
  readonly revokerPackage: string;

  /**
   * The text of authorizer.yaml, such as `fs.readFileSync('authorizer.yaml', 'utf8')`.
   *
   * @default - the file in the package
   */
  readonly config?: string;

  /**
   * The pool whose tokens are accepted: `${USER_POOL_ID}` in authorizer.yaml.
   *
   * @default - authorizer.yaml names its issuers itself
   */
  readonly userPool?: cognito.IUserPool;

  /**
   * The app clients of the pool whose tokens are accepted: `${CLIENT_IDS}`. Needed with `userPool`.
   *
   * @default - none
   */
  readonly clients?: cognito.IUserPoolClient[];

  /**
   * A table of revocations that exists already, with the key `pk`.
   *
   * @default - one is made, which outlives the stack
   */
  readonly revocationsTable?: dynamodb.ITable;

  /** @default lambda.Architecture.X86_64 */
  readonly architecture?: lambda.Architecture;

  /** @default - nothing is reserved */
  readonly reservedConcurrentExecutions?: number;

  /** @default logs.RetentionDays.ONE_MONTH */
  readonly logRetention?: logs.RetentionDays;

  /**
   * Whether authorizer.yaml has introspection by `admin_get_user`, which needs a permission.
   *
   * @default false
   */
  readonly adminGetUser?: boolean;

  /**
   * Hears of the alarms.
   *
   * @default - nobody
   */
  readonly alarmTopic?: sns.ITopic;

  /**
   * Encrypts logs, the table and the queue. Its key policy must admit CloudWatch Logs and EventBridge.
   *
   * @default - AWS's own keys
   */
  readonly encryptionKey?: kms.IKey;

  /** @default - none */
  readonly permissionsBoundary?: iam.IManagedPolicy;

  /**
   * Other accounts whose APIs may ask; three at most.
   *
   * @default - none
   */
  readonly callingAccounts?: string[];

  /**
   * Whether to notice, by an hourly call that is refused, that the revoker hears nothing.
   *
   * @default true
   */
  readonly revokerCanary?: boolean;

  /**
   * Whether the table refuses to be deleted.
   *
   * @default true
   */
  readonly deletionProtection?: boolean;
}

/** The two authorizers of a REST API, which are the same function. Each is made when it is first asked for. */
export class RestAuthorizers {
  private madeCached?: apigateway.IAuthorizer;
  private madeLive?: apigateway.IAuthorizer;

  /** @internal */
  constructor(private readonly scope: Construct, private readonly name: string, private readonly handler: lambda.IFunction) {}

  /** For ordinary routes: answers are kept for a minute, for the same token, method and path alone. */
  public get cached(): apigateway.IAuthorizer {
    const source = apigateway.IdentitySource;
    // An answer speaks of one request, so that the key of the cache holds all that tells requests apart.
    this.madeCached ??= new apigateway.RequestAuthorizer(this.scope, `${this.name}Cached`, {
      handler: this.handler,
      identitySources: [source.header(HEADER), source.context('httpMethod'), source.context('path')],
      resultsCacheTtl: CACHE,
    });
    return this.madeCached;
  }

  /** For routes with `introspect`, `max_auth_age` or `cedar`: asked each time. */
  public get live(): apigateway.IAuthorizer {
    this.madeLive ??= new apigateway.RequestAuthorizer(this.scope, `${this.name}Live`, {
      handler: this.handler,
      identitySources: [apigateway.IdentitySource.header(HEADER)],
      resultsCacheTtl: Duration.seconds(0),
    });
    return this.madeLive;
  }
}

export interface HttpAuthorizerOptions {
  /**
   * For routes with `introspect`, `max_auth_age` or `cedar`: asked each time.
   *
   * @default false
   */
  readonly live?: boolean;
}

/**
 * The authorizer with its table of revocations, the revoker, alarms and a dashboard.
 *
 * What it makes is template-authorizer.yaml of the same release. Attach it to every route of an API, the default one included, and to no
 * preflight request.
 */
export class CognitoAuthorizer extends Construct {
  /** The function that API Gateway asks. */
  public readonly handler: lambda.IFunction;

  /** The name of the table of revocations, for authctl. */
  public readonly revocationsTableName: string;

  /** Where each decision stands. */
  public readonly logGroup: logs.ILogGroup;

  private readonly rest = new Map<string, RestAuthorizers>();

  constructor(scope: Construct, id: string, props: CognitoAuthorizerProps) {
    super(scope, id);
    if (props.userPool && !props.clients?.length) {
      throw new Error('With userPool, clients must say which app clients are accepted');
    }
    const size = Buffer.byteLength(props.config ?? '', 'utf8');
    if (size > ENVIRONMENT_BYTES - 1024) {
      throw new Error(`config has ${size} bytes, and a function's variables 4,096 together: put authorizer.yaml into the package`);
    }
    const accounts = props.callingAccounts ?? [];
    if (accounts.length > 3) {
      throw new Error('callingAccounts are three at most: add the permissions of further ones to the handler');
    }

    const template = JSON.parse(fs.readFileSync(path.join(__dirname, '..', 'template.json'), 'utf8'));
    const values: Record<string, string> = {};
    for (const [name, parameter] of Object.entries<any>(template.Parameters)) values[name] = String(parameter.Default ?? '');
    Object.assign(values, {
      AdminGetUser: String(props.adminGetUser ?? false),
      AlarmTopic: props.alarmTopic?.topicArn ?? '',
      Architecture: (props.architecture ?? lambda.Architecture.X86_64).name,
      CallingAccount1: accounts[0] ?? '',
      CallingAccount2: accounts[1] ?? '',
      CallingAccount3: accounts[2] ?? '',
      ClientIds: (props.clients ?? []).map((client) => client.userPoolClientId).join(','),
      Configuration: props.config ?? '',
      DeletionProtection: props.deletionProtection ?? true ? 'on' : 'off',
      KmsKey: props.encryptionKey?.keyArn ?? '',
      LogRetentionDays: String(props.logRetention ?? logs.RetentionDays.ONE_MONTH),
      PermissionsBoundary: props.permissionsBoundary?.managedPolicyArn ?? '',
      ReservedConcurrency: String(props.reservedConcurrentExecutions ?? -1),
      RevocationsTableName: props.revocationsTable?.tableName ?? '',
      RevokerCanary: String(props.revokerCanary ?? true),
      UserPoolId: props.userPool?.userPoolId ?? '',
    });
    // A pool of the same stack is in this Region; only of a pool id that is written out is the Region known to be another.
    if (!Token.isUnresolved(values.UserPoolId) && values.UserPoolId) {
      values.JwksUri = `https://cognito-idp.${values.UserPoolId.split('_')[0]}.${Aws.URL_SUFFIX}/${values.UserPoolId}/.well-known/jwks.json`;
    }

    const folder = fs.mkdtempSync(path.join(os.tmpdir(), 'cognito-authorizer-'));
    let made: include.CfnInclude;
    try {
      const file = path.join(folder, 'template.json');
      fs.writeFileSync(file, JSON.stringify(evaluated(template, values)));
      const parameters = Object.fromEntries(Object.entries(values).map(([name, value]) => [name, typed(template.Parameters[name], value)]));
      made = new include.CfnInclude(this, 'Resources', { templateFile: file, parameters, preserveLogicalIds: false });
    } finally {
      fs.rmSync(folder, { recursive: true });
    }
    for (const [name, location] of [
      ['AuthorizerFunction', props.authorizerPackage],
      ['RevokerFunction', props.revokerPackage],
    ]) {
      const asset = new assets.Asset(this, `${name}Package`, { path: location });
      const code = { s3Bucket: asset.s3BucketName, s3Key: asset.s3ObjectKey };
      (made.getResource(name) as lambda.CfnFunction).code = code;
    }

    for (const policy of ['service-role/AWSLambdaBasicExecutionRole', 'AWSXrayWriteOnlyAccess']) {
      Validations.of(this).acknowledge({
        id: `AwsSolutions::AwsSolutions-IAM4[Policy::arn:aws:iam::aws:policy/${policy}]`,
        reason: 'What SAM gives to every function: to write its log and its traces, and nothing else',
      });
    }

    const authorizer = made.getResource('AuthorizerFunction') as lambda.CfnFunction;
    this.handler = lambda.Function.fromFunctionAttributes(this, 'Handler', { functionArn: authorizer.attrArn, sameEnvironment: true });
    this.logGroup = logs.LogGroup.fromLogGroupName(this, 'Log', made.getResource('AuthorizerLogGroup').ref);
    this.revocationsTableName = props.revocationsTable?.tableName ?? made.getResource('RevocationsTable').ref;
    if (props.userPool && !Token.isUnresolved(values.UserPoolId)) this.warnOfAnotherRegion(values.UserPoolId.split('_')[0]);
  }

  /**
   * The authorizers of a REST API. A pair belongs to one API: name each of several.
   */
  public restAuthorizers(name: string = 'Rest'): RestAuthorizers {
    const made = this.rest.get(name) ?? new RestAuthorizers(this, name, this.handler);
    this.rest.set(name, made);
    return made;
  }

  /**
   * The authorizer of HTTP APIs, for any number of them and any route. It caches where the route's key tells methods apart: answers for `ANY`
   * routes and `$default` are never kept.
   */
  public httpAuthorizer(options: HttpAuthorizerOptions = {}): apigatewayv2.IHttpRouteAuthorizer {
    return new HttpRouteAuthorizer(this.handler, options.live ?? false);
  }

  /**
   * The authorizer of `$connect`. No identity source: the token may come in the header or, from browsers, in the query.
   */
  public webSocketAuthorizer(): apigatewayv2.IWebSocketRouteAuthorizer {
    return new authorizers.WebSocketLambdaAuthorizer('Connect', this.handler, { identitySource: [] });
  }

  private warnOfAnotherRegion(pool: string): void {
    const own = Stack.of(this).region;
    if (!Token.isUnresolved(own) && own !== pool) {
      const message = `The pool is in ${pool}: the revoker hears of its sign-outs only in a stack there`;
      Annotations.of(this).addWarningV2('cognito-authorizer:pool-in-another-region', message);
    }
  }
}

/** Numbers are numbers to CloudFormation's types. */
function typed(parameter: any, value: string): any {
  return parameter.Type === 'Number' ? Number(value) : value;
}

/** Picks, for each route, the authorizer whose key holds all that the answer depends on. */
class HttpRouteAuthorizer implements apigatewayv2.IHttpRouteAuthorizer {
  private readonly made = new Map<string, authorizers.HttpLambdaAuthorizer>();

  constructor(private readonly handler: lambda.IFunction, private readonly live: boolean) {}

  public bind(options: apigatewayv2.HttpRouteAuthorizerBindOptions): apigatewayv2.HttpRouteAuthorizerConfig {
    const live = this.live || !namesItsMethod(options.route);
    const name = live ? 'Live' : 'Cached';
    const key = `${options.route.httpApi.node.path} ${name}`;
    let authorizer = this.made.get(key);
    if (!authorizer) {
      const found = options.route.httpApi.node.tryFindChild(`CognitoAuthorizer${name}`);
      if (found) {
        // Another of these objects made it, for the same API.
        return { authorizerId: (found as apigatewayv2.HttpAuthorizer).authorizerId, authorizationType: 'CUSTOM' };
      }
      authorizer = new authorizers.HttpLambdaAuthorizer(`CognitoAuthorizer${name}`, this.handler, {
        responseTypes: [authorizers.HttpLambdaResponseType.SIMPLE],
        identitySource: [`$request.header.${HEADER}`, '$context.routeKey', '$context.path'],
        resultsCacheTtl: live ? Duration.seconds(0) : CACHE,
      });
      this.made.set(key, authorizer);
    }
    return authorizer.bind({ route: options.route, scope: options.route.httpApi as unknown as Construct });
  }
}

/** Whether the route's key tells methods apart. A simple answer is a verdict for everything that shares its key. */
function namesItsMethod(route: apigatewayv2.IHttpRoute): boolean {
  const method = (route as any).method;
  return typeof method === 'string' && method !== apigatewayv2.HttpMethod.ANY;
}
