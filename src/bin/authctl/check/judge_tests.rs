//! APIs of every kind beside a table, one line a case.

use super::*;
use crate::template::Template;
use cognito_authorizer::config::{ConfigText, Environment};
use std::collections::BTreeMap;
