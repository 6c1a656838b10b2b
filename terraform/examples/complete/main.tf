# A whole stack: an HTTP API with its stage, CORS and access logs, the authorizer on every route, and a backend of yours.

terraform {
  required_version = ">= 1.7"

  required_providers {
    aws = {
      source  = "hashicorp/aws"
      version = ">= 5.40"
    }
  }
}

provider "aws" {
  region = var.region

  default_tags {
    tags = { application = var.name }
  }
}

module "authorizer" {
  source = "../.."

  name           = var.name
  authorizer_zip = var.authorizer_zip
  revoker_zip    = var.revoker_zip
  configuration  = file(var.configuration_file)
  domain_prefix  = var.domain_prefix
  web_origin     = var.web_origin
  http_apis      = { api = aws_apigatewayv2_api.api.id }
}

resource "aws_apigatewayv2_api" "api" {
  name          = var.name
  protocol_type = "HTTP"

  # API Gateway answers preflight requests itself for routes that name a method.
  cors_configuration {
    allow_origins = [var.web_origin]
    allow_methods = ["GET", "HEAD", "POST", "PUT", "PATCH", "DELETE"]
    allow_headers = ["authorization", "content-type"]
    max_age       = 600
  }
}

resource "aws_apigatewayv2_stage" "default" {
  api_id      = aws_apigatewayv2_api.api.id
  name        = "$default"
  auto_deploy = true

  default_route_settings {
    throttling_rate_limit  = 1000
    throttling_burst_limit = 500
  }

  access_log_settings {
    destination_arn = aws_cloudwatch_log_group.access.arn
    # Fixed words and ids; nothing that a client writes, and no claim.
    format = jsonencode({
      requestId         = "$context.requestId"
      time              = "$context.requestTime"
      ip                = "$context.identity.sourceIp"
      method            = "$context.httpMethod"
      route             = "$context.routeKey"
      status            = "$context.status"
      error             = "$context.error.responseType"
      authorizerError   = "$context.authorizer.error"
      authorizerReason  = "$context.authorizer.reason"
      authorizerStatus  = "$context.authorizer.status"
      authorizerLatency = "$context.authorizer.latency"
    })
  }
}

# The prefix is the one for which CloudWatch's resource policy always has room.
resource "aws_cloudwatch_log_group" "access" {
  name              = "/aws/vendedlogs/${var.name}/http"
  retention_in_days = 30
}

resource "aws_apigatewayv2_integration" "backend" {
  api_id                 = aws_apigatewayv2_api.api.id
  integration_type       = "AWS_PROXY"
  integration_uri        = var.backend_function_arn
  payload_format_version = "2.0"
}

resource "aws_lambda_permission" "backend" {
  action        = "lambda:InvokeFunction"
  function_name = var.backend_function_arn
  principal     = "apigateway.amazonaws.com"
  source_arn    = "${aws_apigatewayv2_api.api.execution_arn}/*/*"
}

# The rules of authorizer.yaml, each as a route. `cached` where the route names its method, `live` where it introspects.
resource "aws_apigatewayv2_route" "cached" {
  for_each = toset(["GET /items", "POST /items"])

  api_id             = aws_apigatewayv2_api.api.id
  route_key          = each.value
  target             = "integrations/${aws_apigatewayv2_integration.backend.id}"
  authorization_type = "CUSTOM"
  authorizer_id      = module.authorizer.http_authorizers["api"].cached
}

resource "aws_apigatewayv2_route" "live" {
  for_each = toset(["ANY /users/{user_id}/{proxy+}", "ANY /admin/{proxy+}", "$default"])

  api_id             = aws_apigatewayv2_api.api.id
  route_key          = each.value
  target             = "integrations/${aws_apigatewayv2_integration.backend.id}"
  authorization_type = "CUSTOM"
  authorizer_id      = module.authorizer.http_authorizers["api"].live
}

# ANY and $default would take preflight requests, which carry no token.
resource "aws_apigatewayv2_route" "preflight" {
  for_each = toset(["OPTIONS /users/{user_id}/{proxy+}", "OPTIONS /admin/{proxy+}", "OPTIONS /{proxy+}"])

  api_id    = aws_apigatewayv2_api.api.id
  route_key = each.value
  target    = "integrations/${aws_apigatewayv2_integration.backend.id}"
}
