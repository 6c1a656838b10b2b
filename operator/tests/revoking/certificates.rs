//! `authctl revoke certificate`: what it writes is what the authorizer looks for.

use crate::authctl::Authctl;
use crate::processes::scratch;
use crate::stub::{PUT_ITEM, Stub};
use serde_json::json;
use test_support::certificates::{client, fingerprint};

#[test]
fn the_entry_names_the_certificate_and_lasts_as_long_as_it() {
    let stub = Stub::start();
    let authctl = Authctl::with(stub.environment());
    let file = scratch("certificate").join("partner-a.pem");
    std::fs::write(&file, client("partner-a")).unwrap();
    let revoke = ["revoke", "certificate", file.to_str().unwrap(), "--reason", "lost laptop"];
    let pk = format!("cert#{}", fingerprint(&client("partner-a")));
    let says = [&pk[..], "requests with this certificate, and tokens bound to it, until 2120-01-01T00:01:00Z"];
    authctl.does(&[&revoke[..], &["--dry-run"]].concat(), "", &[&says[..], &["Would be refused"]].concat());
    assert_eq!(stub.count(), 0);
    authctl.does(&revoke, "", &[&says[..], &["Refused by the table `revocations`", "may issue new ones"]].concat());
    let written = stub.requests(PUT_ITEM);
    // By its DER, and by what its authority signed.
    assert_eq!(written.len(), 2);
    assert_ne!(written[0]["Item"]["pk"], written[1]["Item"]["pk"]);
    let item = &written[0]["Item"];
    assert_eq!(item["pk"], json!({ "S": pk }));
    // 2120-01-01T00:00:00Z, and a minute of leeway.
    assert_eq!(item["expires_at"], json!({ "N": "4733510460" }));
    assert_eq!(item.get("not_before"), None);
    assert_eq!(item["reason"], json!({ "S": "lost laptop" }));
}

#[test]
fn what_is_not_one_valid_certificate_is_refused() {
    let stub = Stub::start();
    let authctl = Authctl::with(stub.environment());
    let folder = scratch("no-certificate");
    let key = "-----BEGIN PRIVATE KEY-----\nc2VjcmV0\n-----END PRIVATE KEY-----\n";
    for (content, complaint) in [
        (client("expired"), "the certificate has expired"),
        (client("partner-a") + &client("partner-b"), "not one certificate alone"),
        (client("partner-a") + key, "not one certificate alone"),
        (String::new(), "not PEM text"),
        ("{}".to_owned(), "not PEM text"),
        ("-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n".to_owned(), "not an X.509 certificate"),
    ] {
        let file = folder.join("certificate.pem");
        std::fs::write(&file, content).unwrap();
        let run = authctl.fails(&["revoke", "certificate", file.to_str().unwrap()], "", complaint);
        assert!(!run.stderr.contains("c2VjcmV0"), "{}", run.stderr);
    }
    authctl.fails(&["revoke", "certificate", folder.join("none").to_str().unwrap()], "", "cannot be read");
    assert_eq!(stub.count(), 0);
}
