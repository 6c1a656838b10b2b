//! The table as it is written: what stands there is never weakened, whoever comes when.

use crate::ministack::{MiniStack, TABLE};
use cognito_authorizer::live::Revocation;
use cognito_authorizer::request::UnixSeconds;
use cognito_authorizer_operator::revoking::{Entry, Mark, Recorded, RevocationStore};

const PK: &str = "sub#https://i.example#s";
const NOW: f64 = 1000.0;

/// `not_before` and `expires_at`; 0 stands for none.
type Dates = (u32, u32);

fn entry((not_before, expires_at): Dates) -> Entry {
    let date = |seconds: u32| if seconds == 0 { None } else { UnixSeconds::new(f64::from(seconds)) };
    let revocation = Revocation { not_before: date(not_before), expires_at: date(expires_at) };
    let mark = Mark { reason: Some("why".into()), revoked_at: UnixSeconds::new(NOW), revoked_by: Some("who".into()) };
    Entry { pk: PK.into(), revocation, mark }
}

fn outcome(recorded: &Recorded) -> &'static str {
    match recorded {
        Recorded::Written => "written",
        Recorded::Kept(_) => "kept",
        Recorded::Joined(_) => "joined",
    }
}

#[tokio::test]
#[ignore = "needs MiniStack: `make live`"]
async fn an_entry_is_never_weakened() {
    let ministack = MiniStack::start().await;
    let store = RevocationStore::new(ministack.dynamodb.clone(), TABLE.into());
    let now = UnixSeconds::new(NOW).unwrap();
    let dates = async || {
        let mut dates = (0, 0);
        for (name, date) in [("not_before", &mut dates.0), ("expires_at", &mut dates.1)] {
            *date = ministack.date(PK, name).await.map_or(0, |seconds| u32::try_from(seconds).unwrap());
        }
        dates
    };
    // Each against all: what stands, what is wanted, what becomes of it.
    let table: &[(Dates, Dates, &str, Dates)] = &[
        ((500, 2000), (500, 2000), "kept or written", (500, 2000)),
        ((500, 2000), (600, 2100), "written", (600, 2100)),
        ((500, 2000), (400, 1900), "kept", (500, 2000)),
        ((500, 2000), (600, 1900), "joined", (600, 2000)),
        ((500, 2000), (400, 2100), "joined", (500, 2100)),
        ((500, 2000), (0, 0), "written", (0, 0)),
        ((500, 2000), (0, 1500), "joined", (0, 2000)),
        ((500, 2000), (600, 0), "written", (600, 0)),
        ((0, 0), (600, 2000), "kept", (0, 0)),
        ((0, 2000), (600, 2100), "joined", (0, 2100)),
        ((0, 2000), (0, 1900), "kept", (0, 2000)),
        ((500, 0), (600, 2000), "joined", (600, 0)),
        ((500, 0), (400, 0), "kept", (500, 0)),
        // Over, and not yet deleted: as if nothing stood there.
        ((0, 1000), (600, 2000), "written", (600, 2000)),
        ((900, 999), (600, 2000), "written", (600, 2000)),
        ((0, 1001), (600, 2000), "joined", (0, 2000)),
    ];
    for (standing, wanted, expected, becomes) in table {
        store.lift(PK).await.unwrap();
        let long_ago = UnixSeconds::new(1.0).unwrap();
        assert_eq!(store.record(&entry(*standing), long_ago).await, Ok(Recorded::Written));
        let recorded = store.record(&entry(*wanted), now).await.unwrap();
        let recorded = outcome(&recorded);
        assert!(expected.contains(recorded), "{standing:?} then {wanted:?}: {recorded}, not {expected}");
        assert_eq!(dates().await, *becomes, "{standing:?} then {wanted:?}");
        // Once more is the same, and so is the other order.
        store.record(&entry(*wanted), now).await.unwrap();
        assert_eq!(dates().await, *becomes, "{standing:?} then {wanted:?} twice");
        if standing.1 == 0 || f64::from(standing.1) > NOW {
            store.lift(PK).await.unwrap();
            store.record(&entry(*wanted), now).await.unwrap();
            store.record(&entry(*standing), now).await.unwrap();
            assert_eq!(dates().await, *becomes, "{wanted:?} then {standing:?}");
        }
    }
}

#[tokio::test]
#[ignore = "needs MiniStack: `make live`"]
async fn many_at_once_leave_the_strongest() {
    let ministack = MiniStack::start().await;
    let store = RevocationStore::new(ministack.dynamodb.clone(), TABLE.into());
    let now = UnixSeconds::new(NOW).unwrap();
    let all = [(500, 2900), (600, 2800), (700, 2700), (800, 2600)].map(entry);
    let [one, two, three, four] = all.each_ref().map(|entry| store.record(entry, now));
    let recorded = tokio::join!(one, two, three, four);
    assert!(recorded.0.is_ok() && recorded.1.is_ok() && recorded.2.is_ok() && recorded.3.is_ok(), "{recorded:?}");
    assert_eq!(ministack.date(PK, "not_before").await, Some(800));
    assert_eq!(ministack.date(PK, "expires_at").await, Some(2900));
}

#[tokio::test]
#[ignore = "needs MiniStack: `make live`"]
async fn an_entry_that_was_written_by_hand_is_read_and_never_weakened() {
    use aws_sdk_dynamodb::types::AttributeValue;
    let ministack = MiniStack::start().await;
    let store = RevocationStore::new(ministack.dynamodb.clone(), TABLE.into());
    let by_hand = ministack.dynamodb.put_item().table_name(TABLE).item("pk", AttributeValue::S(PK.into()));
    by_hand.item("not_before", AttributeValue::S("noon".into())).send().await.unwrap();
    let recorded = store.record(&entry((600, 2000)), UnixSeconds::new(NOW).unwrap()).await.unwrap();
    assert_eq!(outcome(&recorded), "kept");
    let listed = store.list().await.unwrap();
    assert_eq!(listed.len(), 1);
    assert_eq!(listed[0].in_words(), "all tokens of this user, later ones too, until the entry is lifted");
}
