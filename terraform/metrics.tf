# What the functions write about themselves (`metrics` in authorizer.yaml): docs/operations.md says what each one means.
# A metric without data is one of which nothing happened.

locals {
  alarms = {
    unavailable = {
      description = "The authorizer could not decide, and clients got a 500; the log has the reason, docs/reasons.md what to do"
      metric      = "Decisions"
      dimensions  = { Decision = "unavailable" }
      period      = 60
      datapoints  = [3, 5]
      threshold   = 0
    }
    bad-signature = {
      description = "Tokens that the issuer did not sign; see bad_signature in docs/reasons.md"
      metric      = "Decisions"
      dimensions  = { Reason = "bad_signature" }
      period      = 300
      datapoints  = [1, 1]
      threshold   = var.refusal_alarm_threshold
    }
    unknown-key = {
      description = "Tokens signed with keys that the issuer does not have; see unknown_key in docs/reasons.md"
      metric      = "Decisions"
      dimensions  = { Reason = "unknown_key" }
      period      = 300
      datapoints  = [1, 1]
      threshold   = var.refusal_alarm_threshold
    }
    introspection-throttled = {
      description = "The issuer answers fewer live checks than are asked for; see docs/live-checks.md"
      metric      = "IntrospectionThrottles"
      dimensions  = {}
      period      = 60
      datapoints  = [2, 5]
      threshold   = 0
    }
    revocation-check-throttled = {
      description = "DynamoDB answers fewer live checks than are asked for; see docs/live-checks.md"
      metric      = "RevocationCheckThrottles"
      dimensions  = {}
      period      = 60
      datapoints  = [2, 5]
      threshold   = 0
    }
  }
}

resource "aws_cloudwatch_metric_alarm" "authorizer" {
  for_each = local.alarms

  alarm_name          = "${var.name}-${each.key}"
  alarm_description   = each.value.description
  alarm_actions       = var.alarm_actions
  namespace           = local.metrics_namespace
  metric_name         = each.value.metric
  dimensions          = each.value.dimensions
  statistic           = "Sum"
  period              = each.value.period
  datapoints_to_alarm = each.value.datapoints[0]
  evaluation_periods  = each.value.datapoints[1]
  threshold           = each.value.threshold
  comparison_operator = "GreaterThanThreshold"
  treat_missing_data  = "notBreaching"
  tags                = var.tags
}

resource "aws_cloudwatch_metric_alarm" "missed_revocations" {
  alarm_name          = "${var.name}-missed-revocations"
  alarm_description   = "Somebody was signed out in Cognito whose tokens the table does not refuse; see docs/revoking.md"
  alarm_actions       = var.alarm_actions
  namespace           = "AWS/SQS"
  metric_name         = "ApproximateNumberOfMessagesVisible"
  dimensions          = { QueueName = aws_sqs_queue.missed_revocations.name }
  statistic           = "Maximum"
  period              = 60
  evaluation_periods  = 1
  threshold           = 0
  comparison_operator = "GreaterThanThreshold"
  treat_missing_data  = "notBreaching"
  tags                = var.tags
}

resource "aws_cloudwatch_dashboard" "this" {
  dashboard_name = "${var.name}-${data.aws_region.current.id}" # dashboards are the account's, whatever the Region

  dashboard_body = templatefile("${path.module}/dashboard.json.tftpl", {
    namespace = local.metrics_namespace
    region    = data.aws_region.current.id
  })
}

# A function that does not run writes nothing about itself. Lambda's own lines and metrics say so.

resource "aws_cloudwatch_log_metric_filter" "did_not_run" {
  for_each = {
    # Lambda's lines, which do not begin with a brace, as those of the function do: a token's text can imitate none.
    platform          = "%^[^\\x7B].*Task timed out|^[^\\x7B].*Runtime exited|^INIT_REPORT .*Status: |^REPORT .*Status: timeout%"
    bad-configuration = "{ $.message = \"bad_configuration\" }"
  }

  name           = "${var.name}-${each.key}"
  log_group_name = aws_cloudwatch_log_group.authorizer.name
  pattern        = each.value

  metric_transformation {
    namespace = "${local.metrics_namespace}/Platform"
    name      = "DidNotRun"
    value     = "1"
  }
}

resource "aws_cloudwatch_metric_alarm" "did_not_run" {
  alarm_name          = "${var.name}-did-not-run"
  alarm_description   = "The authorizer did not start, ran out of time or died, and clients got a 500; its log says which. See docs/operations.md"
  alarm_actions       = var.alarm_actions
  namespace           = "${local.metrics_namespace}/Platform"
  metric_name         = "DidNotRun"
  statistic           = "Sum"
  period              = 60
  evaluation_periods  = 1
  threshold           = 0
  comparison_operator = "GreaterThanThreshold"
  treat_missing_data  = "notBreaching"
  tags                = var.tags
}

resource "aws_cloudwatch_metric_alarm" "throttled" {
  alarm_name          = "${var.name}-throttled"
  alarm_description   = "Lambda ran fewer authorizers than were asked for, and clients got a 500; see docs/operations.md"
  alarm_actions       = var.alarm_actions
  namespace           = "AWS/Lambda"
  metric_name         = "Throttles"
  dimensions          = { FunctionName = aws_lambda_function.authorizer.function_name }
  statistic           = "Sum"
  period              = 60
  evaluation_periods  = 5
  datapoints_to_alarm = 2
  threshold           = 0
  comparison_operator = "GreaterThanThreshold"
  treat_missing_data  = "notBreaching"
  tags                = var.tags
}

resource "aws_cloudwatch_metric_alarm" "http_api_errors" {
  for_each = var.http_apis

  alarm_name          = "${var.name}-http-api-errors-${each.key}"
  alarm_description   = "Clients of the HTTP API get 5xx, by the authorizer, a permission that is lost, or the backend; see docs/operations.md"
  alarm_actions       = var.alarm_actions
  namespace           = "AWS/ApiGateway"
  metric_name         = "5xx"
  dimensions          = { ApiId = each.value }
  statistic           = "Sum"
  period              = 60
  evaluation_periods  = 5
  datapoints_to_alarm = 3
  threshold           = 0
  comparison_operator = "GreaterThanThreshold"
  treat_missing_data  = "notBreaching"
  tags                = var.tags
}

resource "aws_cloudwatch_metric_alarm" "websocket_api_errors" {
  for_each = var.websocket_apis

  alarm_name          = "${var.name}-websocket-api-errors-${each.key}"
  alarm_description   = "Clients of the WebSocket API get errors, by the authorizer, a permission that is lost, or the backend; see docs/operations.md"
  alarm_actions       = var.alarm_actions
  namespace           = "AWS/ApiGateway"
  metric_name         = "ExecutionError"
  dimensions          = { ApiId = each.value }
  statistic           = "Sum"
  period              = 60
  evaluation_periods  = 5
  datapoints_to_alarm = 3
  threshold           = 0
  comparison_operator = "GreaterThanThreshold"
  treat_missing_data  = "notBreaching"
  tags                = var.tags
}

resource "aws_cloudwatch_metric_alarm" "revoker_silent" {
  count = var.revoker_canary ? 1 : 0

  alarm_name          = "${var.name}-revoker-silent"
  alarm_description   = "The revoker hears nothing from Cognito, so that sign-outs are not written to the table; see docs/revoking.md"
  alarm_actions       = var.alarm_actions
  ok_actions          = var.alarm_actions
  namespace           = "AWS/Lambda"
  metric_name         = "Invocations"
  dimensions          = { FunctionName = aws_lambda_function.revoker.function_name }
  statistic           = "Sum"
  period              = 3600
  evaluation_periods  = 3
  datapoints_to_alarm = 3
  threshold           = 1
  comparison_operator = "LessThanThreshold"
  treat_missing_data  = "breaching"
  tags                = var.tags
}
