# Who may come in. None of this is made with create_user_pool = false.

locals {
  resource_server = "https://api.example.com" # authorizer.yaml asks for scopes by their full names
  sign_in         = "${data.aws_partition.current.partition == "aws-us-gov" ? "auth-fips" : "auth"}.${data.aws_region.current.id}.amazoncognito.com"
}

resource "aws_cognito_user_pool" "this" {
  count = var.create_user_pool ? 1 : 0

  name                     = var.name
  auto_verified_attributes = ["email"]
  mfa_configuration        = "OPTIONAL"
  deletion_protection      = "ACTIVE" # the users outlive a mistake
  user_pool_tier           = var.enricher_zip == null ? null : "ESSENTIALS"
  tags                     = var.tags

  admin_create_user_config {
    allow_admin_create_user_only = true # nobody signs up by themselves
  }

  account_recovery_setting {
    recovery_mechanism {
      name     = "verified_email"
      priority = 1
    }
  }

  software_token_mfa_configuration {
    enabled = true
  }

  username_configuration {
    case_sensitive = false
  }

  dynamic "lambda_config" {
    for_each = local.makes_enricher

    content {
      pre_token_generation_config {
        lambda_arn     = aws_lambda_function.enricher[0].arn
        lambda_version = var.enricher_version
      }
    }
  }

  password_policy {
    minimum_length                   = 12
    require_lowercase                = true
    require_uppercase                = true
    require_numbers                  = true
    require_symbols                  = true
    temporary_password_validity_days = 3
  }
}

resource "aws_cognito_resource_server" "api" {
  count = var.create_user_pool ? 1 : 0

  user_pool_id = aws_cognito_user_pool.this[0].id
  identifier   = local.resource_server
  name         = "API"

  scope {
    scope_name        = "read"
    scope_description = "Read items"
  }

  scope {
    scope_name        = "write"
    scope_description = "Write items"
  }

  scope {
    scope_name        = "admin"
    scope_description = "Administer; no client has it yet"
  }
}

# A single-page application: it can keep no secret, so it proves with PKCE that the code is its own.
resource "aws_cognito_user_pool_client" "web" {
  count = var.create_user_pool ? 1 : 0

  name                                 = "web"
  user_pool_id                         = aws_cognito_user_pool.this[0].id
  generate_secret                      = false
  allowed_oauth_flows_user_pool_client = true
  allowed_oauth_flows                  = ["code"]
  allowed_oauth_scopes                 = ["openid", "${local.resource_server}/read", "${local.resource_server}/write"]
  callback_urls                        = ["${var.web_origin}/callback"]
  logout_urls                          = ["${var.web_origin}/"]
  supported_identity_providers         = ["COGNITO"]
  explicit_auth_flows                  = ["ALLOW_REFRESH_TOKEN_AUTH"]
  write_attributes                     = ["name"] # left out, users may change every attribute: never list one that a rule relies on
  prevent_user_existence_errors        = "ENABLED"
  enable_token_revocation              = true
  access_token_validity                = 15
  id_token_validity                    = 15
  refresh_token_validity               = 1

  token_validity_units {
    access_token  = "minutes"
    id_token      = "minutes"
    refresh_token = "days"
  }

  depends_on = [aws_cognito_resource_server.api]
}

resource "aws_cognito_user_pool_client" "machine" {
  count = var.create_user_pool ? 1 : 0

  name                                 = "machine"
  user_pool_id                         = aws_cognito_user_pool.this[0].id
  generate_secret                      = true
  allowed_oauth_flows_user_pool_client = true
  allowed_oauth_flows                  = ["client_credentials"]
  allowed_oauth_scopes                 = ["${local.resource_server}/read"]
  explicit_auth_flows                  = ["ALLOW_REFRESH_TOKEN_AUTH"] # left out, users could sign in through it
  write_attributes                     = ["name"]                     # as for the web client
  enable_token_revocation              = true
  access_token_validity                = 15

  token_validity_units {
    access_token = "minutes"
  }

  depends_on = [aws_cognito_resource_server.api]
}

resource "aws_cognito_user_group" "this" {
  for_each = var.create_user_pool ? {
    admin = "May do what authorizer.yaml gives administrators"
    user  = "Everybody else"
  } : {}

  name         = each.key
  description  = each.value
  user_pool_id = aws_cognito_user_pool.this[0].id
}

resource "aws_cognito_user_pool_domain" "this" {
  count = var.create_user_pool && var.domain_prefix != null ? 1 : 0

  domain       = var.domain_prefix
  user_pool_id = aws_cognito_user_pool.this[0].id
}
