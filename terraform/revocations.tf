# The table of revocations, and the function that writes to it what happens in Cognito.

locals {
  revocations_table     = coalesce(var.revocations_table_name, one(aws_dynamodb_table.revocations[*].name))
  revocations_table_arn = "arn:${data.aws_partition.current.partition}:dynamodb:${local.account_arn}:table/${local.revocations_table}"
}

resource "aws_dynamodb_table" "revocations" {
  count = var.revocations_table_name == null ? 1 : 0

  name                        = "${var.name}-revocations"
  billing_mode                = "PAY_PER_REQUEST"
  hash_key                    = "pk"
  deletion_protection_enabled = true # without the table revoked tokens would come back to life
  tags                        = var.tags

  attribute {
    name = "pk"
    type = "S"
  }

  ttl {
    attribute_name = "expires_at"
    enabled        = true
  }

  point_in_time_recovery {
    enabled = true
  }

  server_side_encryption {
    enabled     = true
    kms_key_arn = var.kms_key_arn
  }
}

# What ends a user's tokens in Cognito ends them in the table. The rule hears of calls through CloudTrail: the account
# needs a trail that logs management events, in the pool's Region; apply this there.
resource "aws_lambda_function" "revoker" {
  function_name    = "${var.name}-revoker"
  description      = "Writes revocations for sign-outs, disabled and deleted users in Cognito"
  filename         = var.revoker_zip
  source_code_hash = filebase64sha256(var.revoker_zip)
  handler          = "bootstrap"
  runtime          = "provided.al2023"
  architectures    = [var.architecture]
  memory_size      = 128
  timeout          = 60 # two entries, each within 20 seconds, retries included
  role             = aws_iam_role.revoker.arn
  tags             = var.tags

  environment {
    variables = {
      REVOCATIONS_TABLE = local.revocations_table
      USER_POOL_IDS     = local.user_pool_id # a user's own GlobalSignOut names no pool: these are meant
      METRICS_NAMESPACE = local.metrics_namespace
      AUTHORIZER_LOG    = "info"
    }
  }

  dead_letter_config {
    target_arn = aws_sqs_queue.missed_revocations.arn
  }

  logging_config {
    log_format = "Text"
    log_group  = aws_cloudwatch_log_group.revoker.name
  }

  tracing_config {
    mode = "Active"
  }

  depends_on = [aws_iam_role_policy.revoker]
}

# A failed invocation is tried again after one minute and after two more; what fails then waits in the queue, and the
# alarm says so.
resource "aws_lambda_function_event_invoke_config" "revoker" {
  function_name                = aws_lambda_function.revoker.function_name
  maximum_retry_attempts       = 2
  maximum_event_age_in_seconds = 21600
}

resource "aws_cloudwatch_log_group" "revoker" {
  name              = "/aws/lambda/${var.name}-revoker"
  retention_in_days = var.log_retention_days
  kms_key_id        = var.kms_key_arn
  tags              = var.tags
}

resource "aws_cloudwatch_event_rule" "tokens_ended" {
  name        = "${var.name}-tokens-ended"
  description = "What ends a user's tokens in Cognito"
  tags        = var.tags

  event_pattern = jsonencode({
    source      = ["aws.cognito-idp"]
    detail-type = ["AWS API Call via CloudTrail"]
    detail = {
      eventSource = ["cognito-idp.amazonaws.com"]
      eventName = [
        "AdminDeleteUser",
        "AdminDisableUser",
        "AdminRevokeUserSession",
        "AdminUserGlobalSignOut",
        "DeleteUser",
        "GlobalSignOut",
      ]
    }
  })
}

resource "aws_cloudwatch_event_target" "revoker" {
  rule = aws_cloudwatch_event_rule.tokens_ended.name
  arn  = aws_lambda_function.revoker.arn

  # For what does not reach the function at all.
  retry_policy {
    maximum_event_age_in_seconds = 86400
    maximum_retry_attempts       = 185
  }

  dead_letter_config {
    arn = aws_sqs_queue.missed_revocations.arn
  }
}

resource "aws_lambda_permission" "revoker" {
  action        = "lambda:InvokeFunction"
  function_name = aws_lambda_function.revoker.function_name
  principal     = "events.amazonaws.com"
  source_arn    = aws_cloudwatch_event_rule.tokens_ended.arn
}

resource "aws_iam_role" "revoker" {
  name_prefix          = "${substr(var.name, 0, 20)}-revoker-"
  assume_role_policy   = data.aws_iam_policy_document.lambda.json
  permissions_boundary = var.permissions_boundary
  tags                 = var.tags
}

resource "aws_iam_role_policy" "revoker" {
  role   = aws_iam_role.revoker.id
  policy = data.aws_iam_policy_document.revoker.json
}

data "aws_iam_policy_document" "revoker" {
  statement {
    sid       = "WriteRevocations"
    actions   = ["dynamodb:PutItem"]
    resources = [local.revocations_table_arn]
  }

  statement {
    sid       = "KeepWhatFailed"
    actions   = ["sqs:SendMessage"]
    resources = [aws_sqs_queue.missed_revocations.arn]
  }

  dynamic "statement" {
    for_each = var.kms_key_arn == null ? [] : ["UseTheKey"]

    content {
      sid       = statement.value
      actions   = ["kms:Decrypt", "kms:GenerateDataKey"]
      resources = [var.kms_key_arn]

      condition {
        test     = "StringEquals"
        variable = "kms:ViaService"
        values   = [for service in ["dynamodb", "sqs"] : "${service}.${data.aws_region.current.id}.amazonaws.com"]
      }
    }
  }

  statement {
    sid       = "WriteLogs"
    actions   = ["logs:CreateLogStream", "logs:PutLogEvents"]
    resources = ["${aws_cloudwatch_log_group.revoker.arn}:*"]
  }

  statement {
    sid       = "WriteTraces" # X-Ray knows no resources
    actions   = ["xray:PutTraceSegments", "xray:PutTelemetryRecords"]
    resources = ["*"]
  }
}

resource "aws_sqs_queue" "missed_revocations" {
  name                      = "${var.name}-missed-revocations"
  message_retention_seconds = 1209600 # 14 days, the longest
  sqs_managed_sse_enabled   = var.kms_key_arn == null ? true : null
  kms_master_key_id         = var.kms_key_arn
  tags                      = var.tags
}

resource "aws_sqs_queue_policy" "missed_revocations" {
  queue_url = aws_sqs_queue.missed_revocations.url
  policy    = data.aws_iam_policy_document.missed_revocations.json
}

data "aws_iam_policy_document" "missed_revocations" {
  statement {
    sid       = "FromTheRule"
    actions   = ["sqs:SendMessage"]
    resources = [aws_sqs_queue.missed_revocations.arn]

    principals {
      type        = "Service"
      identifiers = ["events.amazonaws.com"]
    }

    condition {
      test     = "ArnEquals"
      variable = "aws:SourceArn"
      values   = [aws_cloudwatch_event_rule.tokens_ended.arn]
    }
  }

  statement {
    sid       = "EncryptedOnTheWay"
    effect    = "Deny"
    actions   = ["sqs:*"]
    resources = [aws_sqs_queue.missed_revocations.arn]

    principals {
      type        = "*"
      identifiers = ["*"]
    }

    condition {
      test     = "Bool"
      variable = "aws:SecureTransport"
      values   = ["false"]
    }
  }
}

# CloudTrail promises nothing: without a trail that logs management events the revoker hears of no sign-out, and nothing fails. So a
# user who does not exist is signed out every hour. The call is refused, CloudTrail records it all the same, and the revoker leaves it
# alone: its being invoked is the proof. Until the first call has come through, within some 70 minutes, the alarm is on.
resource "aws_scheduler_schedule" "canary" {
  count = var.revoker_canary ? 1 : 0

  name                = "${var.name}-revoker-canary"
  description         = "Makes an event for the revoker; see docs/revoking.md"
  schedule_expression = "rate(1 hour)"

  flexible_time_window {
    mode = "OFF"
  }

  target {
    arn      = "arn:${data.aws_partition.current.partition}:scheduler:::aws-sdk:cognitoidentityprovider:adminUserGlobalSignOut"
    role_arn = aws_iam_role.canary[0].arn

    input = jsonencode({
      UserPoolId = local.user_pool_id
      Username   = "canary-of-the-revoker-who-does-not-exist"
    })

    retry_policy {
      maximum_retry_attempts = 0
    }
  }
}

resource "aws_iam_role" "canary" {
  count = var.revoker_canary ? 1 : 0

  name_prefix          = "${substr(var.name, 0, 20)}-canary-"
  assume_role_policy   = data.aws_iam_policy_document.scheduler.json
  permissions_boundary = var.permissions_boundary
  tags                 = var.tags
}

resource "aws_iam_role_policy" "canary" {
  count = var.revoker_canary ? 1 : 0

  role   = aws_iam_role.canary[0].id
  policy = data.aws_iam_policy_document.canary.json
}

data "aws_iam_policy_document" "scheduler" {
  statement {
    actions = ["sts:AssumeRole"]

    principals {
      type        = "Service"
      identifiers = ["scheduler.amazonaws.com"]
    }

    condition {
      test     = "StringEquals"
      variable = "aws:SourceAccount"
      values   = [data.aws_caller_identity.current.account_id]
    }
  }
}

data "aws_iam_policy_document" "canary" {
  statement {
    sid       = "SignOutNobody"
    actions   = ["cognito-idp:AdminUserGlobalSignOut"]
    resources = [local.user_pool_arn]
  }
}
