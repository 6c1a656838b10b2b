output "function_arn" {
  description = "The authorizer, to attach to other APIs."
  value       = aws_lambda_function.authorizer.arn
}

output "invoke_arn" {
  description = "The same as API Gateway wants it, for authorizers of your own."
  value       = local.invoke_arn
}

output "rest_authorizers" {
  description = "For each REST API the ids of its authorizers: cached, and live for routes with introspect."
  value = {
    for name in keys(var.rest_apis) : name => {
      cached = aws_api_gateway_authorizer.rest_cached[name].id
      live   = aws_api_gateway_authorizer.rest_live[name].id
    }
  }
}

output "http_authorizers" {
  description = "For each HTTP API the ids of its authorizers: cached, and live for routes with introspect, ANY routes and $default."
  value = {
    for name in keys(var.http_apis) : name => {
      cached = aws_apigatewayv2_authorizer.http_cached[name].id
      live   = aws_apigatewayv2_authorizer.http_live[name].id
    }
  }
}

output "websocket_authorizers" {
  description = "For each WebSocket API the id of the authorizer of its $connect route."
  value       = { for name in keys(var.websocket_apis) : name => aws_apigatewayv2_authorizer.websocket[name].id }
}

output "user_pool_id" {
  description = "The pool whose tokens are accepted."
  value       = local.user_pool_id
}

output "web_client_id" {
  description = "For a web application, with the authorization code flow and PKCE; null with a pool of your own."
  value       = one(aws_cognito_user_pool_client.web[*].id)
}

output "machine_client_id" {
  description = "For a machine, with client credentials; its secret is in Cognito, and in the Terraform state. Null with a pool of your own."
  value       = one(aws_cognito_user_pool_client.machine[*].id)
}

output "token_endpoint" {
  description = "Where codes and client credentials become tokens; null without domain_prefix."
  value       = one([for domain in aws_cognito_user_pool_domain.this : "https://${domain.domain}.${local.sign_in}/oauth2/token"])
}

output "issuer" {
  description = "What the pool's tokens name as their issuer."
  value       = trimsuffix(local.jwks_uri, "/.well-known/jwks.json")
}

output "jwks_uri" {
  description = "Where the authorizer takes the issuer's keys from."
  value       = coalesce(var.jwks_uri, local.jwks_uri)
}

output "auth_domain" {
  description = "The host of the sign-in page and of the token endpoint; null without domain_prefix."
  value       = one([for domain in aws_cognito_user_pool_domain.this : "${domain.domain}.${local.sign_in}"])
}

output "log_group" {
  description = "Where each decision stands."
  value       = aws_cloudwatch_log_group.authorizer.name
}

output "metrics_namespace" {
  description = "The CloudWatch namespace of the metrics."
  value       = local.metrics_namespace
}

output "revocations_table" {
  description = "For authctl, as REVOCATIONS_TABLE."
  value       = local.revocations_table
}

output "keys_table" {
  description = "For authctl, as KEYS_TABLE; null where there is none."
  value       = local.keys_table
}

output "missed_revocations_url" {
  description = "Events that did not become entries."
  value       = aws_sqs_queue.missed_revocations.url
}

output "enricher_function_arn" {
  description = "The enricher, for the lambda_config of a pool of your own; null without enricher_zip."
  value       = one(aws_lambda_function.enricher[*].arn)
}
