output "api_endpoint" {
  description = "The address of the API."
  value       = aws_apigatewayv2_api.api.api_endpoint
}

output "issuer" {
  description = "What tokens name as their issuer."
  value       = module.authorizer.issuer
}

output "jwks_uri" {
  description = "Where the issuer's keys are."
  value       = module.authorizer.jwks_uri
}

output "auth_domain" {
  description = "The host of the sign-in page and of the token endpoint."
  value       = module.authorizer.auth_domain
}

output "web_client_id" {
  description = "The web application's client."
  value       = module.authorizer.web_client_id
}
