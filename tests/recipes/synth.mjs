// The CDK recipe of docs/deploy.md as a template: node tests/recipes/synth.mjs docs/deploy.md > tests/recipes/cdk.template.json
import { createRequire } from 'node:module';
import { readFileSync } from 'node:fs';
const require = createRequire(import.meta.url);
const cdk = require('aws-cdk-lib');
const recipe = readFileSync(process.argv[2], 'utf8').split('```ts\n')[1].split('```')[0];
const names = {
  lambda: require('aws-cdk-lib/aws-lambda'),
  apigateway: require('aws-cdk-lib/aws-apigateway'),
  apigatewayv2: require('aws-cdk-lib/aws-apigatewayv2'),
  authorizers: require('aws-cdk-lib/aws-apigatewayv2-authorizers'),
  integrations: require('aws-cdk-lib/aws-apigatewayv2-integrations'),
  Duration: cdk.Duration,
};
const stack = new cdk.Stack(new cdk.App({ analyticsReporting: false }), 'Recipe', {
  env: { account: '111122223333', region: 'us-east-1' },
});
const functionArn = 'arn:aws:lambda:us-east-1:111122223333:function:authorizer';
const backend = names.lambda.Function.fromFunctionAttributes(stack, 'Backend', {
  functionArn: 'arn:aws:lambda:us-east-1:111122223333:function:backend',
  sameEnvironment: true,
});
new Function(...Object.keys(names), 'functionArn', 'backend', recipe).call(stack, ...Object.values(names), functionArn, backend);
const { Parameters, Rules, ...template } = cdk.assertions.Template.fromStack(stack).toJSON();
process.stdout.write(`${JSON.stringify(template, null, 1)}\n`);
