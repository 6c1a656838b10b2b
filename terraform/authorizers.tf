# How each API asks. `cached` is for routes whose answer depends on what its cache key holds; `live` is for those that
# `introspect`, whose answer may change from one request to the next.

locals {
  invoke_arn = aws_lambda_function.authorizer.invoke_arn
}

resource "aws_api_gateway_authorizer" "rest_cached" {
  for_each = var.rest_apis

  name           = "cached"
  rest_api_id    = each.value
  type           = "REQUEST"
  authorizer_uri = local.invoke_arn
  # An answer speaks of one request (`policy.covers: request`): the cache tells requests apart by all it depends on.
  identity_source                  = "method.request.header.Authorization,context.httpMethod,context.path"
  authorizer_result_ttl_in_seconds = var.cache_seconds
}

resource "aws_api_gateway_authorizer" "rest_live" {
  for_each = var.rest_apis

  name                             = "live"
  rest_api_id                      = each.value
  type                             = "REQUEST"
  authorizer_uri                   = local.invoke_arn
  identity_source                  = "method.request.header.Authorization"
  authorizer_result_ttl_in_seconds = 0 # left out it is 300
}

resource "aws_apigatewayv2_authorizer" "http_cached" {
  for_each = var.http_apis

  name                              = "cached"
  api_id                            = each.value
  authorizer_type                   = "REQUEST"
  authorizer_uri                    = local.invoke_arn
  authorizer_payload_format_version = "2.0"
  enable_simple_responses           = true
  # A simple answer is a verdict for everything that shares its key. The route key stands for the method: attach this one
  # only to routes that name theirs, and `live` to ANY and $default.
  identity_sources                 = ["$request.header.Authorization", "$context.routeKey", "$context.path"]
  authorizer_result_ttl_in_seconds = var.cache_seconds
}

resource "aws_apigatewayv2_authorizer" "http_live" {
  for_each = var.http_apis

  name                              = "live"
  api_id                            = each.value
  authorizer_type                   = "REQUEST"
  authorizer_uri                    = local.invoke_arn
  authorizer_payload_format_version = "2.0"
  enable_simple_responses           = true
  identity_sources                  = ["$request.header.Authorization", "$context.routeKey", "$context.path"]
  authorizer_result_ttl_in_seconds  = 0
}

# For $connect: API Gateway asks once for each connection and keeps no answer. No identity source: the token may come in
# the header or, from browsers, in the query, and either of two would do.
resource "aws_apigatewayv2_authorizer" "websocket" {
  for_each = var.websocket_apis

  name            = "connect"
  api_id          = each.value
  authorizer_type = "REQUEST"
  authorizer_uri  = local.invoke_arn
}

# Without it clients get a 500. One for each API, for its authorizers alone.
resource "aws_lambda_permission" "authorizer" {
  for_each = merge(
    { for name, id in var.rest_apis : "rest/${name}" => id },
    { for name, id in var.http_apis : "http/${name}" => id },
    { for name, id in var.websocket_apis : "websocket/${name}" => id },
  )

  action        = "lambda:InvokeFunction"
  function_name = aws_lambda_function.authorizer.function_name
  principal     = "apigateway.amazonaws.com"
  source_arn    = "arn:${data.aws_partition.current.partition}:execute-api:${local.account_arn}:${each.value}/authorizers/*"
}

# APIs of other accounts may ask the authorizer; which of their authorizers do is up to them.
resource "aws_lambda_permission" "calling_account" {
  for_each = toset(var.calling_accounts)

  action         = "lambda:InvokeFunction"
  function_name  = aws_lambda_function.authorizer.function_name
  principal      = "apigateway.amazonaws.com"
  source_account = each.value
  source_arn     = "arn:${data.aws_partition.current.partition}:execute-api:${data.aws_region.current.id}:${each.value}:*/authorizers/*"
}
