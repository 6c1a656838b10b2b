# The authorizer, and what it may do.

locals {
  user_pool_id     = var.create_user_pool ? aws_cognito_user_pool.this[0].id : var.user_pool_id
  user_pool_region = var.create_user_pool ? data.aws_region.current.id : try(split("_", var.user_pool_id)[0], null)
  user_pool_arn    = "arn:${data.aws_partition.current.partition}:cognito-idp:${coalesce(local.user_pool_region, "unknown")}:${data.aws_caller_identity.current.account_id}:userpool/${coalesce(local.user_pool_id, "unknown")}"
  own_client_ids   = var.create_user_pool ? [aws_cognito_user_pool_client.web[0].id, aws_cognito_user_pool_client.machine[0].id] : []
  client_ids       = concat(local.own_client_ids, var.client_ids)
  account_arn      = "${data.aws_region.current.id}:${data.aws_caller_identity.current.account_id}"
  jwks_uri         = "https://cognito-idp.${coalesce(local.user_pool_region, "unknown")}.${data.aws_partition.current.dns_suffix}/${coalesce(local.user_pool_id, "unknown")}/.well-known/jwks.json"

  # One namespace for each authorizer: two of them in one would be counted together.
  metrics_namespace = "CognitoAuthorizer/${var.name}"
}

resource "aws_lambda_function" "authorizer" {
  function_name                  = var.name
  description                    = "Decides whether a request may pass"
  filename                       = var.authorizer_zip
  source_code_hash               = filebase64sha256(var.authorizer_zip)
  handler                        = "bootstrap"
  runtime                        = "provided.al2023"
  architectures                  = [var.architecture]
  memory_size                    = 256
  timeout                        = 8 # API Gateway gives an HTTP API's authorizer 10 seconds
  reserved_concurrent_executions = var.reserved_concurrency
  role                           = aws_iam_role.authorizer.arn
  tags                           = var.tags

  environment {
    # What authorizer.yaml asks for as ${NAME}, and the log level.
    variables = merge(
      var.environment,
      {
        USER_POOL_ID      = local.user_pool_id
        CLIENT_IDS        = join(",", local.client_ids)
        JWKS_URI          = coalesce(var.jwks_uri, local.jwks_uri)
        REVOCATIONS_TABLE = local.revocations_table
        METRICS_NAMESPACE = local.metrics_namespace
        AUTHORIZER_LOG    = "info"
      },
      local.has_keys_table ? { KEYS_TABLE = local.keys_table } : {},
      var.configuration == null ? {} : { AUTHORIZER_CONFIG = var.configuration },
    )
  }

  logging_config {
    log_format = "Text" # the function writes JSON itself
    log_group  = aws_cloudwatch_log_group.authorizer.name
  }

  tracing_config {
    mode = "Active"
  }

  lifecycle {
    precondition {
      condition     = var.create_user_pool == (var.user_pool_id == null)
      error_message = "Either create_user_pool, or user_pool_id: exactly one of them."
    }
    precondition {
      condition     = var.create_user_pool || length(var.client_ids) > 0
      error_message = "With user_pool_id, client_ids must say which app clients are accepted."
    }
  }

  # Else the function could be asked before it may do anything, and every answer would be a 500.
  depends_on = [aws_iam_role_policy.authorizer]
}

resource "aws_cloudwatch_log_group" "authorizer" {
  name              = "/aws/lambda/${var.name}"
  retention_in_days = var.log_retention_days
  kms_key_id        = var.kms_key_arn
  tags              = var.tags
}

resource "aws_iam_role" "authorizer" {
  name_prefix          = "${substr(var.name, 0, 20)}-authorizer-"
  assume_role_policy   = data.aws_iam_policy_document.lambda.json
  permissions_boundary = var.permissions_boundary
  tags                 = var.tags
}

resource "aws_iam_role_policy" "authorizer" {
  role   = aws_iam_role.authorizer.id
  policy = data.aws_iam_policy_document.authorizer.json
}

data "aws_iam_policy_document" "lambda" {
  statement {
    actions = ["sts:AssumeRole"]

    principals {
      type        = "Service"
      identifiers = ["lambda.amazonaws.com"]
    }
  }
}

data "aws_iam_policy_document" "authorizer" {
  statement {
    sid       = "ReadRevocations"
    actions   = ["dynamodb:BatchGetItem"]
    resources = [local.revocations_table_arn]
  }

  dynamic "statement" {
    for_each = local.has_keys_table ? ["ReadKeys"] : []

    content {
      sid       = statement.value
      actions   = ["dynamodb:GetItem"]
      resources = [local.keys_table_arn]
    }
  }

  dynamic "statement" {
    for_each = var.kms_key_arn == null ? [] : ["UseTheKey"]

    content {
      sid       = statement.value
      actions   = ["kms:Decrypt"]
      resources = [var.kms_key_arn]

      condition {
        test     = "StringEquals"
        variable = "kms:ViaService"
        values   = ["dynamodb.${data.aws_region.current.id}.amazonaws.com"]
      }
    }
  }

  dynamic "statement" {
    for_each = var.admin_get_user ? ["AskForUsers"] : []

    content {
      sid       = statement.value
      actions   = ["cognito-idp:AdminGetUser"]
      resources = [local.user_pool_arn]
    }
  }

  statement {
    sid       = "WriteLogs"
    actions   = ["logs:CreateLogStream", "logs:PutLogEvents"]
    resources = ["${aws_cloudwatch_log_group.authorizer.arn}:*"]
  }

  statement {
    sid       = "WriteTraces" # X-Ray knows no resources
    actions   = ["xray:PutTraceSegments", "xray:PutTelemetryRecords"]
    resources = ["*"]
  }
}
