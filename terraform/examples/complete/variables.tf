variable "region" {
  description = "The Region of everything, with a trail that logs management events."
  type        = string
}

variable "name" {
  description = "Begins the names of everything."
  type        = string
  default     = "cognito-authorizer"
}

variable "authorizer_zip" {
  description = "A release's authorizer-x86_64.zip."
  type        = string
}

variable "revoker_zip" {
  description = "A release's revoker-x86_64.zip."
  type        = string
}

variable "configuration_file" {
  description = "authorizer.yaml."
  type        = string
  default     = "../../../authorizer.yaml"
}

variable "domain_prefix" {
  description = "The first part of the sign-in page's host name, unique in the Region."
  type        = string
}

variable "web_origin" {
  description = "Where the web application is served from."
  type        = string
  default     = "http://localhost:3000"
}

variable "backend_function_arn" {
  description = "The Lambda function that serves the API. It refuses to work where the authorizer's context is missing."
  type        = string
}
