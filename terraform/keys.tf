# The table of keys: API keys, and the keys of signed requests. Only the authorizer reads it.

locals {
  has_keys_table = var.create_keys_table || var.keys_table_name != null
  keys_table     = var.create_keys_table ? one(aws_dynamodb_table.keys[*].name) : var.keys_table_name
  keys_table_arn = "arn:${data.aws_partition.current.partition}:dynamodb:${local.account_arn}:table/${coalesce(local.keys_table, "none")}"
}

resource "aws_dynamodb_table" "keys" {
  count = var.create_keys_table ? 1 : 0

  name                        = "${var.name}-keys"
  billing_mode                = "PAY_PER_REQUEST"
  hash_key                    = "pk"
  deletion_protection_enabled = true # without the table no key would be good any more, and nobody can make the same keys again
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

  lifecycle {
    precondition {
      condition     = var.keys_table_name == null
      error_message = "Either create_keys_table, or keys_table_name: not both."
    }
  }
}
