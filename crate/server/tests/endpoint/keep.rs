//! How long records live, and what one person may ask for.

use bellgate_server::event::Kind;
use bellgate_server::{Config, Database, DeviceVerdict, EventFilter, Retention, Store, Tenant};
use serde_json::json;

use crate::common::{Folder, Running, batch, block, new_id, now_ms, rfc3339, school, stored};
use crate::device::{Device, ENROLMENT_KEY, Key};

const DAY_MS: i64 = 24 * 60 * 60 * 1000;

#[tokio::test]
async fn each_kind_goes_when_its_days_are_over() {
    let folder = Folder::new();
    let endpoint = Running::start(Config::new(folder.database(), school())).await;
    let now = now_ms();
    for days in [1, 20, 200, 364, 366, 380] {
        let mut old = block();
        old["at"] = json!(rfc3339(now - days * DAY_MS));
        let heartbeat = json!({
            "id": new_id(), "kind": "heartbeat", "at": rfc3339(now - days * DAY_MS), "count": 1
        });
        endpoint.post_events(&batch(&[old, heartbeat])).await;
    }
    endpoint.stop().await;
    let retention = Retention {
        default_days: 365,
        by_kind: vec![(Kind::Heartbeat, 30)],
    };
    let store = Store::open(&folder.database()).await.unwrap();
    assert_eq!(store.purge(&retention, now).await.unwrap(), 2 + 4);
    assert_eq!(store.purge(&retention, now).await.unwrap(), 0);
    let left = store.events(&EventFilter::default()).await.unwrap();
    store.close().await;
    let of = |kind: &str| left.iter().filter(|event| event.kind == kind).count();
    assert_eq!((of("block"), of("heartbeat")), (4, 2));
}

#[tokio::test]
async fn many_old_events_all_go() {
    let folder = Folder::new();
    let mut config = Config::new(folder.database(), school());
    config.retention.default_days = 380;
    let endpoint = Running::start(config).await;
    let at = rfc3339(now_ms() - 366 * DAY_MS);
    for _ in 0..45 {
        let events: Vec<_> = (0..100)
            .map(|_| json!({"id": new_id(), "kind": "heartbeat", "at": at, "count": 1}))
            .collect();
        assert_eq!(endpoint.post_events(&batch(&events)).await.status, 200);
    }
    endpoint.stop().await;
    let store = Store::open(&folder.database()).await.unwrap();
    assert_eq!(
        store.purge(&Retention::default(), now_ms()).await.unwrap(),
        4500
    );
    store.close().await;
    assert_eq!(stored(&folder.database()).await, []);
}

#[tokio::test]
async fn one_person_is_exported_and_erased_and_nobody_else() {
    let folder = Folder::new();
    let tenant = Tenant {
        id: "school".into(),
        enrolment_key: Some(ENROLMENT_KEY.into()),
    };
    let endpoint = Running::start(Config::new(folder.database(), tenant)).await;
    let mut device = Device::enrol(&endpoint, Key::ed25519(), Some("p-3f9a")).await;
    let store = Store::open(&folder.database()).await.unwrap();
    let subject = "p-3f9a".to_owned();
    let verdict = DeviceVerdict::Verified { subject };
    assert!(
        store
            .judge_device(None, &device.id, &verdict, "test")
            .await
            .unwrap()
    );
    let mut other = block();
    other["subject"] = json!("p-other");
    device
        .send(&endpoint, &device.batch(&[block(), block(), other]))
        .await;

    let tenant = store.find_tenant("school").await.unwrap().unwrap();
    let records = store.personal_records(tenant, "p-3f9a").await.unwrap();
    assert_eq!((records.events.len(), records.devices.len()), (2, 1));
    assert!(
        records
            .events
            .iter()
            .all(|event| event.subject.as_deref() == Some("p-3f9a"))
    );

    assert_eq!(store.erase_person(tenant, "p-3f9a").await.unwrap(), 2);
    let records = store.personal_records(tenant, "p-3f9a").await.unwrap();
    assert_eq!((records.events.len(), records.devices.len()), (0, 0));
    let log = store.audit_log(tenant, 1).await.unwrap();
    assert_eq!(
        (log[0].action.as_str(), log[0].detail.as_str()),
        ("one person erased", "2 events")
    );

    // The device goes on, as nobody's.
    device.send(&endpoint, &device.batch(&[block()])).await;
    store.close().await;
    endpoint.stop().await;
    let left = stored(&folder.database()).await;
    assert_eq!(left.len(), 2);
    assert!(left.iter().all(|event| !event.verified));
}

#[tokio::test]
async fn a_backup_of_a_running_endpoint_is_whole() {
    let folder = Folder::new();
    let endpoint = Running::start(Config::new(folder.database(), school())).await;
    endpoint.post_events(&batch(&[block(), block()])).await;
    let store = Store::open(&folder.database()).await.unwrap();
    let copy = folder.0.join("copy.db");
    store.back_up(copy.to_str().unwrap()).await.unwrap();
    assert!(store.back_up(copy.to_str().unwrap()).await.is_err());
    store.close().await;
    endpoint.post_events(&batch(&[block()])).await;
    endpoint.stop().await;
    let copy = Database::Sqlite(copy);
    assert_eq!(stored(&copy).await.len(), 2);
    let store = Store::open(&copy).await.unwrap();
    assert!(store.is_sound().await.unwrap());
    store.close().await;
}
