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
