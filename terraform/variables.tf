variable "name" {
  description = "Begins the names of everything that is made."
  type        = string
  default     = "cognito-authorizer"

  validation {
    condition     = can(regex("^[a-z][a-z0-9-]{0,39}$", var.name))
    error_message = "name must begin with a letter and have at most 40 lower-case letters, digits and hyphens."
  }
}

variable "authorizer_zip" {
  description = "Path of the authorizer's package: bootstrap and authorizer.yaml, as `make build` leaves them in .aws-sam/build/AuthorizerFunction."
  type        = string
}

variable "revoker_zip" {
  description = "Path of the revoker's package: bootstrap, as `make build` leaves it in .aws-sam/build/RevokerFunction."
  type        = string
}

variable "enricher_zip" {
  description = "Path of the enricher's package: bootstrap and enricher.yaml, as `make build` leaves them in .aws-sam/build/EnricherFunction. Without it there is no enricher."
  type        = string
  default     = null
}

variable "enricher_version" {
  description = "The version of Cognito's event: V2_0 for users, V3_0 for machine clients too. Both need the plan Essentials or Plus, which the pool that is made here gets."
  type        = string
  default     = "V2_0"

  validation {
    condition     = contains(["V2_0", "V3_0"], var.enricher_version)
    error_message = "enricher_version must be V2_0 or V3_0."
  }
}

variable "enricher_table_name" {
  description = "The table whose items the enricher reads, in this account and Region."
  type        = string
  default     = null
}

variable "configuration" {
  description = "The text of authorizer.yaml, in place of the file in the package. All of a function's variables together have at most 4 KB."
  type        = string
  default     = null
}

variable "environment" {
  description = "Further variables that the configuration asks for as $${NAME}. Whoever may read the function's settings reads them."
  type        = map(string)
  default     = {}
}

variable "architecture" {
  description = "The processor that the packages were built for: x86_64 or arm64."
  type        = string
  default     = "x86_64"

  validation {
    condition     = contains(["x86_64", "arm64"], var.architecture)
    error_message = "architecture must be x86_64 or arm64."
  }
}

variable "create_user_pool" {
  description = "Whether to make a user pool with a resource server, a web client, a machine client and the groups admin and user."
  type        = bool
  default     = true
}

variable "user_pool_id" {
  description = "A user pool that exists already, such as us-east-1_AbCdEf123. Only with create_user_pool = false."
  type        = string
  default     = null
}

variable "client_ids" {
  description = "App clients whose tokens are accepted, besides those that are made here."
  type        = list(string)
  default     = []
}

variable "jwks_uri" {
  description = "Where the pool's public keys are, if not at the pool's own address."
  type        = string
  default     = null
}

variable "web_origin" {
  description = "Where the web application is served from. Users who signed in are sent back to /callback there."
  type        = string
  default     = "http://localhost:3000"

  validation {
    condition     = can(regex("^(https://[A-Za-z0-9.-]+(:[0-9]+)?|http://localhost(:[0-9]+)?)$", var.web_origin))
    error_message = "web_origin must be an https origin, or http://localhost."
  }
}

variable "domain_prefix" {
  description = "The first part of the sign-in page's host name, unique in the Region. Without it the pool has no sign-in page and no token endpoint."
  type        = string
  default     = null
}

variable "admin_get_user" {
  description = "Whether the configuration has introspection by admin_get_user, which needs a permission; the other methods need none."
  type        = bool
  default     = false
}

variable "rest_apis" {
  description = "Ids of the REST APIs that get authorizers, each under a name of your own."
  type        = map(string)
  default     = {}
}

variable "http_apis" {
  description = "Ids of the HTTP APIs that get authorizers, each under a name of your own."
  type        = map(string)
  default     = {}
}

variable "websocket_apis" {
  description = "Ids of the WebSocket APIs that get an authorizer, each under a name of your own."
  type        = map(string)
  default     = {}
}

variable "cache_seconds" {
  description = "How long API Gateway keeps an answer of the `cached` authorizers. For as long a token may go on working after it expired. 0 turns it off."
  type        = number
  default     = 60

  validation {
    condition     = var.cache_seconds >= 0 && var.cache_seconds <= 3600
    error_message = "cache_seconds must be between 0 and 3600."
  }
}

variable "reserved_concurrency" {
  description = "How many authorizers may run at once; what is reserved is taken from the rest of the account. -1 reserves nothing, 0 shuts the APIs."
  type        = number
  default     = -1
}

variable "log_retention_days" {
  description = "How many days the logs are kept."
  type        = number
  default     = 30
}

variable "alarm_actions" {
  description = "ARNs that hear of the alarms, such as an SNS topic's; without any they change their colour and nothing else."
  type        = list(string)
  default     = []
}

variable "refusal_alarm_threshold" {
  description = "How many requests within five minutes may be refused for a bad signature, or for an unknown key, before an alarm says so."
  type        = number
  default     = 100
}

variable "revocations_table_name" {
  description = "A table of revocations that exists already, in this account and Region; without it one is made."
  type        = string
  default     = null
}

variable "create_keys_table" {
  description = "Whether to make a table of keys: API keys, and the keys of signed requests. The configuration names it as `KEYS_TABLE`."
  type        = bool
  default     = false
}

variable "keys_table_name" {
  description = "A table of keys that exists already, in this account and Region."
  type        = string
  default     = null
}

variable "revoker_canary" {
  description = "Whether to sign out, every hour, a user that does not exist, and to set off an alarm when the revoker hears nothing of it."
  type        = bool
  default     = true
}

variable "calling_accounts" {
  description = "Other accounts whose APIs may ask the authorizer."
  type        = list(string)
  default     = []

  validation {
    condition     = alltrue([for account in var.calling_accounts : can(regex("^[0-9]{12}$", account))])
    error_message = "calling_accounts are account ids of twelve digits."
  }
}

variable "permissions_boundary" {
  description = "The ARN of a managed policy that bounds every role that is made."
  type        = string
  default     = null
}

variable "kms_key_arn" {
  description = "A KMS key for logs, the table and the queue; without it AWS's own keys do. Its key policy must admit CloudWatch Logs and EventBridge."
  type        = string
  default     = null
}

variable "tags" {
  description = "Tags of everything that takes tags."
  type        = map(string)
  default     = {}
}
