# What the module plans, by Terraform's own evaluation and the AWS provider's schema, without an account: the provider's
# answers are made up.

mock_provider "aws" {
  mock_data "aws_iam_policy_document" {
    defaults = { json = "{}" }
  }
  mock_data "aws_region" {
    defaults = { id = "eu-central-1" }
  }
  mock_data "aws_partition" {
    defaults = { partition = "aws", dns_suffix = "amazonaws.com" }
  }
  mock_data "aws_caller_identity" {
    defaults = { account_id = "123456789012" }
  }
  mock_resource "aws_cognito_user_pool" {
    defaults = { id = "eu-central-1_AbCdEf123" }
  }
  mock_resource "aws_iam_role" {
    defaults = { arn = "arn:aws:iam::123456789012:role/authorizer" }
  }
  mock_resource "aws_lambda_function" {
    defaults = {
      arn        = "arn:aws:lambda:eu-central-1:123456789012:function:authorizer"
      invoke_arn = "arn:aws:apigateway:eu-central-1:lambda:path/2015-03-31/functions/arn:aws:lambda:eu-central-1:123456789012:function:authorizer/invocations"
    }
  }
  mock_resource "aws_scheduler_schedule" {
    defaults = { arn = "arn:aws:scheduler:eu-central-1:123456789012:schedule/default/canary" }
  }
  mock_resource "aws_sqs_queue" {
    defaults = { arn = "arn:aws:sqs:eu-central-1:123456789012:missed" }
  }
  mock_resource "aws_cloudwatch_event_rule" {
    defaults = { arn = "arn:aws:events:eu-central-1:123456789012:rule/tokens-ended" }
  }
  mock_resource "aws_cloudwatch_log_group" {
    defaults = { arn = "arn:aws:logs:eu-central-1:123456789012:log-group:authorizer" }
  }
  mock_resource "aws_dynamodb_table" {
    defaults = { arn = "arn:aws:dynamodb:eu-central-1:123456789012:table/revocations" }
  }
}

variables {
  # Any files do: they are not unpacked.
  authorizer_zip = "tests/module.tftest.hcl"
  revoker_zip    = "tests/module.tftest.hcl"
}

run "a_pool_of_its_own" {
  assert {
    condition     = output.user_pool_id == "eu-central-1_AbCdEf123" && output.token_endpoint == null
    error_message = "The outputs name the pool that was made."
  }
  assert {
    condition = aws_lambda_function.authorizer.environment[0].variables == tomap({
      USER_POOL_ID      = "eu-central-1_AbCdEf123"
      CLIENT_IDS        = "${aws_cognito_user_pool_client.web[0].id},${aws_cognito_user_pool_client.machine[0].id}"
      JWKS_URI          = "https://cognito-idp.eu-central-1.amazonaws.com/eu-central-1_AbCdEf123/.well-known/jwks.json"
      REVOCATIONS_TABLE = "cognito-authorizer-revocations"
      METRICS_NAMESPACE = "CognitoAuthorizer/cognito-authorizer"
      AUTHORIZER_LOG    = "info"
    })
    error_message = "The authorizer's variables are those that authorizer.yaml asks for."
  }
  assert {
    condition     = length(aws_lambda_permission.authorizer) == 0 && length(data.aws_iam_policy_document.authorizer.statement) == 3
    error_message = "Nobody may call it, and it may do no more than it must."
  }
}

run "a_pool_that_exists" {
  variables {
    create_user_pool = false
    user_pool_id     = "us-east-1_Other"
    client_ids       = ["web", "batch"]
    admin_get_user   = true
    configuration    = "issuers: []"
    environment      = { SECRET = "x", CLIENT_IDS = "not this" }
  }
  assert {
    condition     = length(aws_cognito_user_pool.this) + length(aws_cognito_user_pool_client.web) + length(aws_cognito_user_group.this) == 0
    error_message = "No pool is made beside it."
  }
  assert {
    condition = aws_lambda_function.authorizer.environment[0].variables == tomap({
      SECRET            = "x"
      USER_POOL_ID      = "us-east-1_Other"
      CLIENT_IDS        = "web,batch"
      JWKS_URI          = "https://cognito-idp.us-east-1.amazonaws.com/us-east-1_Other/.well-known/jwks.json"
      REVOCATIONS_TABLE = "cognito-authorizer-revocations"
      METRICS_NAMESPACE = "CognitoAuthorizer/cognito-authorizer"
      AUTHORIZER_CONFIG = "issuers: []"
      AUTHORIZER_LOG    = "info"
    })
    error_message = "Its keys are in its own Region, and further variables overwrite none of ours."
  }
  assert {
    condition     = data.aws_iam_policy_document.authorizer.statement[1].resources == toset(["arn:aws:cognito-idp:us-east-1:123456789012:userpool/us-east-1_Other"])
    error_message = "AdminGetUser is allowed on this pool alone."
  }
  assert {
    condition     = output.web_client_id == null && output.machine_client_id == null
    error_message = "There are no clients to tell of."
  }
}

run "apis" {
  variables {
    rest_apis      = { orders = "rest123" }
    http_apis      = { orders = "http123", shop = "http456" }
    websocket_apis = { live = "ws123" }
    cache_seconds  = 30
    domain_prefix  = "example"
  }
  assert {
    condition = alltrue([
      for authorizer in [aws_api_gateway_authorizer.rest_cached["orders"], aws_apigatewayv2_authorizer.http_cached["shop"]] :
      authorizer.authorizer_result_ttl_in_seconds == 30
    ])
    error_message = "cache_seconds is what `cached` keeps answers for."
  }
  assert {
    condition = alltrue([
      for authorizer in [aws_api_gateway_authorizer.rest_live["orders"], aws_apigatewayv2_authorizer.http_live["shop"]] :
      authorizer.authorizer_result_ttl_in_seconds == 0
    ])
    error_message = "`live` keeps nothing."
  }
  assert {
    condition = { for name, permission in aws_lambda_permission.authorizer : name => permission.source_arn } == {
      "rest/orders"    = "arn:aws:execute-api:eu-central-1:123456789012:rest123/authorizers/*"
      "http/orders"    = "arn:aws:execute-api:eu-central-1:123456789012:http123/authorizers/*"
      "http/shop"      = "arn:aws:execute-api:eu-central-1:123456789012:http456/authorizers/*"
      "websocket/live" = "arn:aws:execute-api:eu-central-1:123456789012:ws123/authorizers/*"
    }
    error_message = "Each API's authorizers may call the function, and nothing else."
  }
  assert {
    condition     = keys(output.http_authorizers) == ["orders", "shop"] && keys(output.http_authorizers["shop"]) == ["cached", "live"]
    error_message = "The outputs name the authorizers."
  }
  assert {
    condition     = output.token_endpoint == "https://example.auth.eu-central-1.amazoncognito.com/oauth2/token"
    error_message = "With a domain there is a token endpoint."
  }
}

run "a_table_that_exists_and_no_canary" {
  variables {
    revocations_table_name = "kept"
    revoker_canary         = false
    calling_accounts       = ["210987654321"]
  }
  assert {
    condition     = length(aws_dynamodb_table.revocations) == 0 && output.revocations_table == "kept"
    error_message = "No table is made beside it."
  }
  assert {
    condition     = data.aws_iam_policy_document.authorizer.statement[0].resources == toset(["arn:aws:dynamodb:eu-central-1:123456789012:table/kept"])
    error_message = "The authorizer reads that table alone."
  }
  assert {
    condition     = length(aws_scheduler_schedule.canary) + length(aws_cloudwatch_metric_alarm.revoker_silent) == 0
    error_message = "Nobody is signed out every hour."
  }
  assert {
    condition     = aws_lambda_permission.calling_account["210987654321"].source_arn == "arn:aws:execute-api:eu-central-1:210987654321:*/authorizers/*"
    error_message = "The APIs of that account may ask."
  }
}

run "the_dashboard_is_that_of_the_template" {
  assert {
    condition = jsondecode(aws_cloudwatch_dashboard.this.dashboard_body) == jsondecode(
      replace(replace(replace(
        regex("(?s)DashboardBody: !Sub \\|\n(.*?)\nOutputs:", file("../template.yaml"))[0],
      "$${AWS::StackName}", "cognito-authorizer"), "$${AWS::Region}", "eu-central-1"), "$${!", "$${")
    )
    error_message = "dashboard.json.tftpl and template.yaml differ."
  }
}

run "both_a_pool_and_the_wish_for_one" {
  command = plan
  variables {
    user_pool_id = "us-east-1_Other"
    client_ids   = ["web"]
  }
  expect_failures = [aws_lambda_function.authorizer]
}

run "neither_a_pool_nor_the_wish_for_one" {
  command = plan
  variables {
    create_user_pool = false
    client_ids       = ["web"]
  }
  expect_failures = [aws_lambda_function.authorizer]
}

run "a_pool_without_clients" {
  command = plan
  variables {
    create_user_pool = false
    user_pool_id     = "us-east-1_Other"
  }
  expect_failures = [aws_lambda_function.authorizer]
}

run "values_that_make_no_sense" {
  command = plan
  variables {
    name          = "Upper"
    architecture  = "mips"
    web_origin    = "http://example.com"
    cache_seconds = 3601
  }
  expect_failures = [var.name, var.architecture, var.web_origin, var.cache_seconds]
}
