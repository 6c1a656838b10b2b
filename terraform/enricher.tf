# What Cognito asks before it makes tokens: made where enricher_zip is given. The pool that is made here is told of it.

locals {
  makes_enricher     = var.enricher_zip == null ? [] : ["enricher"]
  enricher_table_arn = "arn:${data.aws_partition.current.partition}:dynamodb:${local.account_arn}:table/${coalesce(var.enricher_table_name, "none")}"
}

resource "aws_lambda_function" "enricher" {
  count = length(local.makes_enricher)

  function_name    = "${var.name}-enricher"
  description      = "Adds claims and scopes to Cognito's tokens before they are made"
  filename         = var.enricher_zip
  source_code_hash = filebase64sha256(var.enricher_zip)
  handler          = "bootstrap"
  runtime          = "provided.al2023"
  architectures    = [var.architecture]
  memory_size      = 256
  timeout          = 5 # Cognito waits no longer
  role             = aws_iam_role.enricher[0].arn
  tags             = var.tags

  environment {
    variables = {
      ENRICHER_TABLE = coalesce(var.enricher_table_name, "none")
      AUTHORIZER_LOG = "info"
    }
  }

  logging_config {
    log_format = "Text" # the function writes JSON itself
    log_group  = aws_cloudwatch_log_group.enricher[0].name
  }

  tracing_config {
    mode = "Active"
  }

  depends_on = [aws_iam_role_policy.enricher]
}

resource "aws_lambda_permission" "enricher" {
  count = length(local.makes_enricher)

  action         = "lambda:InvokeFunction"
  function_name  = aws_lambda_function.enricher[0].function_name
  principal      = "cognito-idp.amazonaws.com"
  source_account = data.aws_caller_identity.current.account_id
  source_arn     = local.user_pool_arn
}

resource "aws_cloudwatch_log_group" "enricher" {
  count = length(local.makes_enricher)

  name              = "/aws/lambda/${var.name}-enricher"
  retention_in_days = var.log_retention_days
  kms_key_id        = var.kms_key_arn
  tags              = var.tags
}

resource "aws_iam_role" "enricher" {
  count = length(local.makes_enricher)

  name_prefix          = "${substr(var.name, 0, 20)}-enricher-"
  assume_role_policy   = data.aws_iam_policy_document.lambda.json
  permissions_boundary = var.permissions_boundary
  tags                 = var.tags
}

resource "aws_iam_role_policy" "enricher" {
  count = length(local.makes_enricher)

  role   = aws_iam_role.enricher[0].id
  policy = data.aws_iam_policy_document.enricher[0].json
}

data "aws_iam_policy_document" "enricher" {
  count = length(local.makes_enricher)

  dynamic "statement" {
    for_each = var.enricher_table_name == null ? [] : ["ReadItems"]

    content {
      sid       = statement.value
      actions   = ["dynamodb:GetItem"]
      resources = [local.enricher_table_arn]
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

  statement {
    sid       = "WriteLogs"
    actions   = ["logs:CreateLogStream", "logs:PutLogEvents"]
    resources = ["${aws_cloudwatch_log_group.enricher[0].arn}:*"]
  }

  statement {
    sid       = "WriteTraces" # X-Ray knows no resources
    actions   = ["xray:PutTraceSegments", "xray:PutTelemetryRecords"]
    resources = ["*"]
  }
}

resource "aws_cloudwatch_metric_alarm" "enricher_errors" {
  count = length(local.makes_enricher)

  alarm_name          = "${var.name}-enricher-errors"
  alarm_description   = "Sign-ins fail, since the enricher refused or did not answer; see docs/enriching.md"
  alarm_actions       = var.alarm_actions
  ok_actions          = var.alarm_actions
  namespace           = "AWS/Lambda"
  metric_name         = "Errors"
  dimensions          = { FunctionName = aws_lambda_function.enricher[0].function_name }
  statistic           = "Sum"
  period              = 60
  evaluation_periods  = 5
  datapoints_to_alarm = 2
  threshold           = 0
  comparison_operator = "GreaterThanThreshold"
  treat_missing_data  = "notBreaching"
  tags                = var.tags
}
