//! Client-credentials tokens: Cognito cannot be asked about them, a table can.

use serde_json::json;

use crate::PAGE;
use crate::documented::Table;
use crate::stage::{LIVE, OPEN, Stage, WITH_TABLE, WITH_TABLE_ALWAYS, claim, fresh};
use crate::stub::cognito::{ADMIN_GET_USER, GET_USER};
use crate::stub::dynamodb::{BATCH_GET_ITEM, CORAL, asked_for, error, item, table, with_number};
use crate::stub::oauth::USER_INFO;
use crate::tokens::{ISSUER, MACHINE, Token, now};

const METHODS: [&str; 3] =
    ["{ method: get_user }", "{ method: admin_get_user }", "{ method: user_info, endpoint: \"STUB/oauth2/userInfo\" }"];

fn machine() -> Token {
    fresh(Token::machine())
}

#[test]
fn judged_by_the_table_alone_and_not_at_all_without_one() {
    let rows = Table::under(PAGE, "Client-credentials tokens");
    let issued = now() - 60;
    let client = || item(&format!("client#{ISSUER}#{MACHINE}"));
    for method in METHODS {
        let stage = Stage::pool(method, "");
        rows.check("no table", &stage.ask_live(&machine()), "not_introspectable");
        rows.cases.check("an open route", &stage.ask(OPEN, &machine().text()), "allow");
        rows.cases.equal(format!("{method}: calls"), stage.stub.all_calls(), 0);

        let stage = Stage::pool(method, WITH_TABLE);
        let token = machine().claim("iat", json!(issued));
        let jti = claim(&token, "jti");
        let holds = |pk: String| table(&[item(&pk)]);
        let not_before = |date: i64| table(&[with_number(client(), "not_before", date)]);
        for (row, answer, expected) in [
            ("no item", table(&[]), "allow"),
            ("an item for the client", table(&[client()]), "token_revoked"),
            ("an item for the client, not_before before iat", not_before(issued - 1), "allow"),
            ("an item for the client, not_before at iat or later", not_before(issued), "token_revoked"),
            ("an item for the client, not_before at iat or later", not_before(issued + 1), "token_revoked"),
            ("an item for the jti", holds(format!("jti#{}", jti.as_str().unwrap())), "token_revoked"),
            ("an item for the sub", holds(format!("sub#{ISSUER}#{MACHINE}")), "token_revoked"),
            ("an item for another client", holds(format!("client#{ISSUER}#other")), "allow"),
            ("the table unavailable", error(400, CORAL, "AccessDeniedException"), "revocations_unavailable"),
        ] {
            stage.stub.answer(BATCH_GET_ITEM, answer);
            rows.check(row, &stage.ask_live(&token), expected);
        }
        rows.cases.equal("what is looked up", asked_for(&stage.stub.last_request(BATCH_GET_ITEM)).len(), 3);
        for operation in [GET_USER, ADMIN_GET_USER, USER_INFO] {
            rows.cases.equal(format!("{method}: calls of {operation}"), stage.stub.calls(operation), 0);
        }
    }
}

#[test]
fn a_table_for_all_routes_stops_a_machine_everywhere() {
    let stage = Stage::pool("{ method: get_user }", WITH_TABLE_ALWAYS);
    stage.stub.answer(BATCH_GET_ITEM, table(&[item(&format!("client#{ISSUER}#{MACHINE}"))]));
    for path in [OPEN, LIVE] {
        assert_eq!(stage.ask(path, &machine().text()).outcome(), "token_revoked", "{path}");
    }
    // The client's other tokens, those of users, are its too; another client's are not.
    assert_eq!(stage.ask(OPEN, &fresh(Token::access()).text()).outcome(), "allow");
}

#[test]
fn a_user_token_does_not_pass_for_a_machines() {
    // Only what has no user is spared the question.
    let stage = Stage::pool("{ method: get_user }", WITH_TABLE);
    for token in [
        fresh(Token::access()).claim("client_id", json!(MACHINE)).claim("sub", json!(MACHINE)),
        fresh(Token::machine()).claim("username", json!("reader")),
        fresh(Token::access()).without("username"),
    ] {
        let (_, calls) = stage.calls_of(GET_USER, |stage| stage.ask_live(&token));
        assert_eq!(calls, 1, "{}", token.payload_json());
    }
}
