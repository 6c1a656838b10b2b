//! The command line.

use clap::{Args, Parser, Subcommand, ValueEnum};
use cognito_authorizer::credentials::DEFAULT_PREFIX;
use cognito_authorizer::credentials::signature::SignatureAlgorithm;
use cognito_authorizer::request::UnixSeconds;
use cognito_authorizer::time::parse_rfc3339;
use std::path::PathBuf;
use std::time::Duration;

mod workbench;

pub(crate) use workbench::{
    Colour, Explain as ExplainRequest, ExplainFormat, MatrixArguments, MatrixFormat, PersonaOptions, SchemaOf, Test,
    TestFormat,
};

/// Revokes tokens before they expire, makes API keys, and tries Cedar policies.
#[derive(Debug, Parser)]
#[command(name = "authctl", version)]
pub(crate) struct Arguments {
    #[command(subcommand)]
    pub(crate) command: Command,
}

#[derive(Debug, Subcommand)]
pub(crate) enum Command {
    /// Refuse tokens from now on
    #[command(subcommand)]
    Revoke(Revoke),
    /// Look at the table of revocations, or take entries out of it
    #[command(subcommand)]
    Revocations(Revocations),
    /// Serve local issuers and the playground, on this machine alone and without AWS
    Dev(crate::dev::arguments::Dev),
    /// Print a token of a persona, signed by its local issuer
    Token(crate::dev::arguments::Token),
    /// Make and look after API keys
    #[command(subcommand)]
    Key(Key),
    /// Try the Cedar policies of a configuration
    #[command(subcommand)]
    Cedar(Cedar),
    /// Say what is wrong with a configuration, and with the template that attaches it, before it is deployed
    Check(Check),
    /// Write the metadata by which OAuth clients find the issuer and the scopes of an API (RFC 9728)
    Discovery(Discovery),
    /// Write a first configuration from OpenAPI, a SAM, CloudFormation or CDK template, serverless.yml or a Terraform plan
    Import(Import),
    /// Say what a change of the configuration means: who is let in that was not, and who is refused
    Diff(Diff),
    /// Say whether requests are let in and refused as a file of tests says
    Test(Test),
    /// Say step by step what happens to a request, and why
    Explain(ExplainRequest),
    /// Show who may do what: personas across, routes down
    Matrix(MatrixArguments),
    /// Print the JSON Schema of a file, for editors
    Schema {
        /// Of which file
        #[arg(value_enum)]
        of: SchemaOf,
    },
}

#[derive(Debug, Subcommand)]
#[cfg_attr(not(feature = "cedar"), allow(dead_code, reason = "a build without Cedar reads none of it"))]
pub(crate) enum Cedar {
    /// Parse and validate the policies, and hold them against the route table
    Check(CedarOptions),
    /// Say which policies decide about an event
    Explain(Explain),
    /// Write a CloudFormation template of a policy store with these policies
    Template(CedarOptions),
}

#[derive(Debug, Args)]
#[cfg_attr(not(feature = "cedar"), allow(dead_code, reason = "a build without Cedar reads none of it"))]
pub(crate) struct CedarOptions {
    /// The authorizer's configuration; without it where the authorizer looks for it
    #[arg(long, value_name = "FILE")]
    pub(crate) config: Option<PathBuf>,
}

#[derive(Debug, Args)]
#[cfg_attr(not(feature = "cedar"), allow(dead_code, reason = "a build without Cedar reads none of it"))]
pub(crate) struct Explain {
    /// The event that API Gateway sends, as a file
    pub(crate) event: PathBuf,
    /// Read the token from standard input; without it the event's own counts
    #[arg(value_name = "-", value_parser = only_a_dash)]
    pub(crate) token: Option<Dash>,
    #[command(flatten)]
    pub(crate) options: CedarOptions,
}

#[derive(Debug, Subcommand)]
pub(crate) enum Revoke {
    /// One token, and all tokens of the sign-in that it came of
    Token(RevokeToken),
    /// All tokens that a user holds; a user of Cognito is signed out there too
    User(RevokeUser),
    /// A refresh token of Cognito, and the access tokens that came of it
    RefreshToken(RevokeRefreshToken),
    /// All tokens that a client holds
    Client(RevokeClient),
    /// A client certificate, and all tokens that are bound to it
    Certificate(RevokeCertificate),
}

#[derive(Debug, Subcommand)]
pub(crate) enum Revocations {
    /// Show the entries that refuse something
    List(List),
    /// Take entries away: what they refused passes again
    Lift(Lift),
}

#[derive(Debug, Args)]
pub(crate) struct RevokeToken {
    /// The JWT, or `-` to read it from standard input, where no list of processes shows it
    #[arg(value_name = "JWT or -")]
    pub(crate) token: Secret,
    #[command(flatten)]
    pub(crate) entry: EntryOptions,
    #[command(flatten)]
    pub(crate) table: TableOptions,
}

#[derive(Debug, Args)]
pub(crate) struct RevokeUser {
    #[command(flatten)]
    pub(crate) issuers: IssuerOptions,
    #[command(flatten)]
    pub(crate) user: UserOptions,
    /// Refuse tokens that are issued later too, until the entry is lifted
    #[arg(long)]
    pub(crate) block: bool,
    #[command(flatten)]
    pub(crate) entry: EntryOptions,
    #[command(flatten)]
    pub(crate) table: TableOptions,
}

#[derive(Debug, Args)]
pub(crate) struct RevokeClient {
    #[command(flatten)]
    pub(crate) issuers: IssuerOptions,
    /// The client's id
    pub(crate) client_id: String,
    /// Refuse tokens that are issued later too, until the entry is lifted
    #[arg(long)]
    pub(crate) block: bool,
    #[command(flatten)]
    pub(crate) entry: EntryOptions,
    #[command(flatten)]
    pub(crate) table: TableOptions,
}

#[derive(Debug, Args)]
pub(crate) struct RevokeCertificate {
    /// The certificate as PEM text, which holds no other
    pub(crate) file: PathBuf,
    #[command(flatten)]
    pub(crate) entry: EntryOptions,
    #[command(flatten)]
    pub(crate) table: TableOptions,
}

#[derive(Debug, Args)]
pub(crate) struct RevokeRefreshToken {
    /// The app client that the token was issued to
    #[arg(long)]
    pub(crate) client_id: String,
    /// The environment variable that holds the client's secret, where it has one
    #[arg(long, value_name = "NAME")]
    pub(crate) client_secret_env: Option<String>,
    /// The user pool, for its Region; without it the Region is AWS_REGION's
    #[arg(long)]
    pub(crate) user_pool_id: Option<String>,
    /// Only say what would be done
    #[arg(long)]
    pub(crate) dry_run: bool,
    /// The token is read from standard input
    #[arg(value_name = "-", value_parser = only_a_dash)]
    pub(crate) token: Dash,
}

#[derive(Debug, Args)]
#[group(required = true, multiple = true)]
pub(crate) struct IssuerOptions {
    /// The Cognito user pool; stands for both issuers that its tokens may name
    #[arg(long)]
    pub(crate) user_pool_id: Option<String>,
    /// The issuer, as tokens name it; may be given more than once
    #[arg(long)]
    pub(crate) issuer: Vec<String>,
}

#[derive(Debug, Args)]
#[group(required = true, multiple = false)]
pub(crate) struct UserOptions {
    /// The user's `sub`
    #[arg(long)]
    pub(crate) sub: Option<String>,
    /// The user's name or alias in the user pool
    #[arg(long)]
    pub(crate) username: Option<String>,
}

#[derive(Debug, Args)]
pub(crate) struct EntryOptions {
    /// Why, for whoever reads the table
    #[arg(long)]
    pub(crate) reason: Option<String>,
    /// Who, for whoever reads the table; without it the environment's USER
    #[arg(long)]
    pub(crate) by: Option<String>,
    /// The longest life that a token of this issuer can have, such as 90m, 24h or 7d
    #[arg(long, value_name = "DURATION", default_value = "24h", value_parser = duration)]
    pub(crate) token_life: Duration,
    /// Only say what would be done
    #[arg(long)]
    pub(crate) dry_run: bool,
}

#[derive(Debug, Args)]
pub(crate) struct TableOptions {
    /// The table; without it what authorizer.yaml says, else REVOCATIONS_TABLE
    #[arg(long)]
    pub(crate) table: Option<String>,
    /// The authorizer's configuration; without it where the authorizer looks for it
    #[arg(long, value_name = "FILE")]
    pub(crate) config: Option<PathBuf>,
}

#[derive(Debug, Args)]
pub(crate) struct List {
    /// Show what refuses nothing any more too
    #[arg(long)]
    pub(crate) all: bool,
    #[command(flatten)]
    pub(crate) table: TableOptions,
}

#[derive(Debug, Args)]
pub(crate) struct Lift {
    /// The keys of the entries, as `list` shows them
    #[arg(required = true, value_name = "KEY")]
    pub(crate) pks: Vec<String>,
    /// Only say what would be done
    #[arg(long)]
    pub(crate) dry_run: bool,
    #[command(flatten)]
    pub(crate) table: TableOptions,
}

#[derive(Debug, Subcommand)]
pub(crate) enum Key {
    /// Make a key, and print it: it is shown this once
    Create(KeyCreate),
    /// Show all keys, without the keys themselves
    List(KeyTableOptions),
    /// Show one key's record
    Show(OneKey),
    /// Disable a key
    Disable(OneKey),
    /// Make a second key with the same record; the first one ends after a while
    Rotate(KeyRotate),
}

#[derive(Debug, Args)]
pub(crate) struct KeyCreate {
    #[command(flatten)]
    pub(crate) record: KeyRecordOptions,
    /// Until when it is valid: a time such as 2027-01-31T00:00:00Z, or from now, such as 90d; without it, until disabled
    #[arg(long, value_name = "TIME", value_parser = End::parse)]
    pub(crate) not_after: Option<End>,
    /// What the key begins with
    #[arg(long, default_value = DEFAULT_PREFIX)]
    pub(crate) prefix: String,
    /// Make a key that signs requests (RFC 9421) by this algorithm. The secret of an hmac-sha256 key is derived from
    /// the environment's SIGNATURE_SECRET, and printed
    #[arg(long, value_name = "ALGORITHM", value_parser = signature_algorithm, conflicts_with = "prefix")]
    pub(crate) signature: Option<SignatureAlgorithm>,
    /// The public key of the other algorithms: a file with one PEM block
    #[arg(long, value_name = "FILE", requires = "signature")]
    pub(crate) public_key: Option<PathBuf>,
    #[command(flatten)]
    pub(crate) table: KeyTableOptions,
}

fn signature_algorithm(text: &str) -> Result<SignatureAlgorithm, String> {
    let names = || SignatureAlgorithm::ALL.map(SignatureAlgorithm::name).join(", ");
    SignatureAlgorithm::parse(text).ok_or_else(|| format!("not one of {}", names()))
}

#[derive(Debug, Args)]
pub(crate) struct KeyRecordOptions {
    /// Whose key it is: its claim `sub`
    #[arg(long, required_unless_present = "client_id")]
    pub(crate) sub: Option<String>,
    /// The client that it stands for: its claim `client_id`
    #[arg(long)]
    pub(crate) client_id: Option<String>,
    /// A scope; may be given more than once
    #[arg(long)]
    pub(crate) scope: Vec<String>,
    /// A group; may be given more than once
    #[arg(long)]
    pub(crate) group: Vec<String>,
    /// Another claim, a text; may be given more than once
    #[arg(long, value_name = "NAME=VALUE", value_parser = setting)]
    pub(crate) claim: Vec<Setting>,
    /// The API key in a usage plan of API Gateway that its requests count for
    #[arg(long, value_name = "VALUE")]
    pub(crate) usage_identifier_key: Option<String>,
}

#[derive(Debug, Args)]
pub(crate) struct KeyTableOptions {
    /// The table of keys; without it KEYS_TABLE
    #[arg(long)]
    pub(crate) table: Option<String>,
}

#[derive(Debug, Args)]
pub(crate) struct OneKey {
    /// The key's id, the part between its two `_`
    pub(crate) id: Secret,
    #[command(flatten)]
    pub(crate) table: KeyTableOptions,
}

#[derive(Debug, Args)]
pub(crate) struct KeyRotate {
    /// The first key's id, the part between its two `_`
    pub(crate) id: Secret,
    /// How long the first key stays valid beside the second, such as 90m, 24h or 7d
    #[arg(long, value_name = "DURATION", default_value = "24h", value_parser = duration)]
    pub(crate) overlap: Duration,
    /// Until when the second key is valid; without it, as long as the first would have been
    #[arg(long, value_name = "TIME", value_parser = End::parse)]
    pub(crate) not_after: Option<End>,
    /// What the second key begins with
    #[arg(long, default_value = DEFAULT_PREFIX)]
    pub(crate) prefix: String,
    #[command(flatten)]
    pub(crate) table: KeyTableOptions,
}

/// When something ends.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) enum End {
    At(UnixSeconds),
    After(Duration),
}

impl End {
    fn parse(text: &str) -> Result<Self, &'static str> {
        let after = duration(text).ok().map(End::After);
        let why = "must be a time such as 2027-01-31T00:00:00Z, or a duration such as 90d";
        after.or_else(|| parse_rfc3339(text).map(End::At)).ok_or(why)
    }

    pub(crate) fn from(self, now: UnixSeconds) -> UnixSeconds {
        match self {
            End::At(at) => at,
            End::After(duration) => now.plus(duration),
        }
    }
}

#[derive(Debug, Args)]
pub(crate) struct Check {
    /// The authorizer's configuration; without it where the authorizer looks for it
    #[arg(long, value_name = "FILE")]
    pub(crate) config: Option<PathBuf>,
    /// The SAM or CloudFormation template that attaches the function to APIs
    #[arg(long, value_name = "FILE")]
    pub(crate) template: Option<PathBuf>,
    /// The configuration of the function that adds claims to Cognito's tokens
    #[arg(long, value_name = "FILE")]
    pub(crate) enricher: Option<PathBuf>,
    /// The authorizer's function in the template, where authorizers ask several
    #[arg(long, value_name = "LOGICAL ID", requires = "template")]
    pub(crate) function: Option<String>,
    /// A variable of the function's environment that has no value here
    #[arg(long, value_name = "NAME=VALUE", value_parser = setting)]
    pub(crate) set: Vec<Setting>,
    /// The value of one of the template's parameters; what is not told is not known
    #[arg(long, value_name = "NAME=VALUE", requires = "template", value_parser = setting)]
    pub(crate) parameter: Vec<Setting>,
    /// A route, or the logical id of an API, that is meant to have no authorizer
    #[arg(long, value_name = "ROUTE KEY", requires = "template")]
    pub(crate) open: Vec<String>,
    /// An OpenAPI document of the same API: say where its routes and scopes differ from the rules
    #[arg(long, value_name = "FILE")]
    pub(crate) openapi: Option<PathBuf>,
    /// Warnings are errors
    #[arg(long)]
    pub(crate) strict: bool,
}

#[derive(Debug, Args)]
pub(crate) struct Import {
    /// The OpenAPI document, the template, serverless.yml, or what `terraform show -json` prints
    pub(crate) file: PathBuf,
    /// One API of several: its logical id, or its address in Terraform
    #[arg(long, value_name = "NAME")]
    pub(crate) api: Option<String>,
    /// The value of one of the template's parameters; what is not told is not known
    #[arg(long, value_name = "NAME=VALUE", value_parser = setting)]
    pub(crate) parameter: Vec<Setting>,
}

#[derive(Debug, Args)]
pub(crate) struct Discovery {
    /// The URL that clients are given: https, no query, no fragment
    #[arg(long, value_name = "URL")]
    pub(crate) resource: String,
    /// What a stage or a base path mapping takes off the path, such as /v1
    #[arg(long, value_name = "PATH")]
    pub(crate) base_path: Option<String>,
    /// The document, or the properties of an AWS::Serverless::Api that serve it
    #[arg(long, value_enum, default_value = "json")]
    pub(crate) format: DiscoveryFormat,
    /// The authorizer's configuration; without it where the authorizer looks for it
    #[arg(long, value_name = "FILE")]
    pub(crate) config: Option<PathBuf>,
    /// A variable of the function's environment that has no value here
    #[arg(long, value_name = "NAME=VALUE", value_parser = setting)]
    pub(crate) set: Vec<Setting>,
}

/// What `authctl discovery` writes.
#[derive(Clone, Copy, Debug, ValueEnum)]
pub(crate) enum DiscoveryFormat {
    /// The document
    Json,
    /// YAML for a SAM template
    Template,
}

#[derive(Debug, Args)]
pub(crate) struct Diff {
    /// The configuration before: a file, or a file of a git revision such as HEAD~1:authorizer.yaml
    pub(crate) old: String,
    /// The configuration now
    #[arg(default_value = "authorizer.yaml")]
    pub(crate) new: String,
    /// A variable of the function's environment that has no value here
    #[arg(long, value_name = "NAME=VALUE", value_parser = setting)]
    pub(crate) set: Vec<Setting>,
    /// End with status 1 where somebody is let in who was not (widened), is refused who was not (narrowed), or for any
    /// difference; and where that could not be decided
    #[arg(long, value_enum)]
    pub(crate) fail_on: Option<FailOn>,
    /// For people, for a pull request, or as data
    #[arg(long, value_enum, default_value = "text")]
    pub(crate) format: DiffFormat,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum FailOn {
    Widened,
    Narrowed,
    Any,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum DiffFormat {
    Text,
    Markdown,
    Json,
}

/// A name and its value, which may be a secret.
#[derive(Clone, Debug)]
pub(crate) struct Setting {
    pub(crate) name: String,
    pub(crate) value: Secret,
}

pub(crate) fn setting(text: &str) -> Result<Setting, &'static str> {
    let (name, value) = text.split_once('=').filter(|(name, _)| !name.is_empty()).ok_or("must be NAME=VALUE")?;
    Ok(Setting { name: name.to_owned(), value: Secret(value.to_owned()) })
}

/// An argument that may be a token. Its `Debug` shows nothing of it.
#[derive(Clone)]
pub(crate) struct Secret(pub(crate) String);

impl From<String> for Secret {
    fn from(text: String) -> Self {
        Self(text)
    }
}

impl std::fmt::Debug for Secret {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Secret(redacted)")
    }
}

/// `-`, which stands for standard input.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Dash;

/// A refresh token must not be seen in a list of processes.
fn only_a_dash(text: &str) -> Result<Dash, &'static str> {
    if text == "-" { Ok(Dash) } else { Err("must be `-`: the token is read from standard input") }
}

pub(crate) fn duration(text: &str) -> Result<Duration, &'static str> {
    let digits = text.bytes().take_while(u8::is_ascii_digit).count();
    let parsed = text.split_at_checked(digits).and_then(|(number, unit)| {
        let seconds: u64 = match unit {
            "s" => 1,
            "m" => 60,
            "h" => 60 * 60,
            "d" => 24 * 60 * 60,
            _ => return None,
        };
        number.parse::<u64>().ok()?.checked_mul(seconds).filter(|seconds| *seconds > 0)
    });
    parsed.map(Duration::from_secs).ok_or("must be a duration such as 90m, 24h or 7d")
}

#[cfg(test)]
mod tests {
    use super::*;
    use clap::CommandFactory;
    use cognito_authorizer_operator::revoking::LONGEST_TOKEN_LIFE;

    #[test]
    fn the_command_line_makes_sense() {
        Arguments::command().debug_assert();
    }

    #[test]
    fn durations_have_a_unit() {
        for (text, seconds) in [("30s", 30), ("90m", 5400), ("24h", 86_400), ("7d", 604_800)] {
            assert_eq!(duration(text), Ok(Duration::from_secs(seconds)), "{text}");
        }
        assert_eq!(duration("24h"), Ok(LONGEST_TOKEN_LIFE), "the default is Cognito's longest");
        for text in ["", "24", "h", "-1h", "1.5h", "0h", "1w", "99999999999999999999s", "9999999999999999999d"] {
            assert!(duration(text).is_err(), "{text}");
        }
    }

    #[test]
    fn a_token_in_the_arguments_is_not_in_their_debug() {
        let arguments = Arguments::try_parse_from(["authctl", "revoke", "token", "eyJ.secret.x"]).unwrap();
        assert!(!format!("{arguments:?}").contains("secret"));
    }
}
