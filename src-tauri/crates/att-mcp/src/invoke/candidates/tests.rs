use proptest::prelude::*;
use serde_json::json;

use super::*;

fn view(server: &str) -> View {
    View {
        server: server.to_owned(),
        group: Some("g".to_owned()),
        generation: 1,
        admin: AdminState::Enabled,
        connection: ConnectionState::Ready,
        health: HealthState::Healthy,
        breaker: BreakerState::Closed,
        status: "healthy",
        item: ItemView::Offered { schema: Some(json!({"type": "object"})) },
    }
}

fn group() -> Whom {
    Whom::Group("g".to_owned())
}

fn prefer(names: &[&str]) -> Whom {
    Whom::of(None, None, &names.iter().map(|name| (*name).to_owned()).collect::<Vec<_>>()).unwrap()
}

fn reason<'r>(ranking: &'r Ranking, server: &str) -> &'r str {
    &ranking.excluded.iter().find(|excluded| excluded.server == server).unwrap().reason
}

fn refusal(ranking: &Ranking) -> (FailureCode, &str) {
    let (code, text) = ranking.refusal.as_ref().unwrap();
    (*code, text)
}

#[test]
fn a_group_is_asked_healthy_first_then_degraded_then_unknown_and_unreachable_last() {
    use HealthState as H;
    let of = |name, health| View { health, ..view(name) };
    let views = [
        of("a", H::Unreachable),
        of("b", H::Degraded),
        of("c", H::Unknown),
        of("d", H::Healthy),
        of("e", H::Healthy),
    ];
    let ranking = rank(&views, &group(), "echo");
    assert_eq!(ranking.order, ["d", "e", "b", "c", "a"]);
    assert_eq!(ranking.refusal, None);
}

#[test]
fn a_preference_is_an_order_and_nobody_else_is_asked() {
    let views = [view("a"), View { health: HealthState::Degraded, ..view("b") }, view("c")];
    let ranking = rank(&views, &prefer(&["b", "a", "b", "nobody"]), "echo");
    assert_eq!(ranking.order, ["b", "a"]);
    assert_eq!(reason(&ranking, "nobody"), "there is no server of that name");
}

#[test]
fn an_unreachable_server_is_asked_last_even_where_it_is_preferred() {
    let views = [View { health: HealthState::Unreachable, ..view("a") }, view("b")];
    assert_eq!(rank(&views, &prefer(&["a", "b"]), "echo").order, ["b", "a"]);
}

#[test]
fn without_a_name_the_one_server_that_offers_the_item_is_asked_and_of_two_none() {
    let missing = View { item: ItemView::Missing, ..view("a") };
    assert_eq!(rank(&[missing.clone(), view("b")], &Whom::OnlyOne, "echo").order, ["b"]);
    let two = rank(&[missing.clone(), view("b"), view("c")], &Whom::OnlyOne, "echo");
    assert_eq!(refusal(&two), (FailureCode::InvalidRequest, "echo is offered by b, c; name one of them"));
    let none = rank(&[missing], &Whom::OnlyOne, "echo");
    assert_eq!(refusal(&none), (FailureCode::NoServerAvailable, "no server offers echo"));
    assert_eq!(reason(&none, "a"), "it does not offer it");
}

#[test]
fn a_named_server_is_asked_for_what_its_lists_do_not_hold() {
    let missing = View { item: ItemView::Missing, ..view("a") };
    assert_eq!(rank(std::slice::from_ref(&missing), &Whom::Server("a".to_owned()), "echo").order, ["a"]);
    assert!(rank(&[missing], &group(), "echo").order.is_empty());
}

#[test]
fn a_server_of_a_group_whose_schema_is_another_one_is_left_out_with_the_reason() {
    let takes = |schema: Value| ItemView::Offered { schema: Some(schema) };
    let text = json!({"type": "object", "properties": {"text": {"type": "string"}}, "required": ["text"]});
    let wider = json!({"type": "object", "properties": {"text": {"type": "string"}}});
    let other = json!({"type": "object", "properties": {"text": {"type": "integer"}}, "required": ["text"]});
    let views = [
        View { item: takes(text), ..view("a") },
        View { item: takes(wider), ..view("b") },
        View { item: takes(other), ..view("c") },
    ];
    let ranking = rank(&views, &group(), "echo");
    assert_eq!(ranking.order, ["a", "b"]);
    assert_eq!(reason(&ranking, "c"), "its input schema does not go together with that of a");
}

#[test]
fn preferred_names_of_nobody_are_refused_in_a_whole_sentence() {
    let ranking = rank(&[view("b")], &prefer(&["x", "y"]), "echo");
    assert_eq!(refusal(&ranking), (FailureCode::NoServerAvailable, "none of x, y can be asked"));
    assert_eq!(reason(&ranking, "x"), "there is no server of that name");
}

#[test]
fn the_caller_is_told_of_a_mistake_of_its_own_before_what_is_merely_down() {
    let misfit = View { item: ItemView::Misfit(vec!["/text: is missing".to_owned()]), ..view("a") };
    let open = View { breaker: BreakerState::Open, ..view("b") };
    let quarantined = View { item: ItemView::Quarantined("its description changed".to_owned()), ..view("c") };
    let all = rank(&[misfit, open.clone(), quarantined.clone()], &group(), "echo");
    let text = "no server of the group g can be asked: a: the arguments do not fit: /text: is missing";
    assert_eq!(refusal(&all), (FailureCode::InvalidRequest, text));
    let without = rank(&[open.clone(), quarantined], &group(), "echo");
    assert_eq!(refusal(&without).0, FailureCode::ItemQuarantined);
    assert_eq!(refusal(&rank(&[open], &group(), "echo")).0, FailureCode::NoServerAvailable);
}

#[test]
fn more_than_one_way_of_naming_is_refused() {
    assert!(Whom::of(Some("a"), Some("g"), &[]).is_err());
    assert!(Whom::of(Some("a"), None, &["b".to_owned()]).is_err());
    assert!(Whom::of(None, Some("g"), &["b".to_owned()]).is_err());
    assert_eq!(Whom::of(None, None, &[]).unwrap(), Whom::OnlyOne);
}

fn any_item() -> impl Strategy<Value = ItemView> {
    prop_oneof![
        Just(ItemView::Unknown),
        Just(ItemView::Missing),
        Just(ItemView::Quarantined("drift".to_owned())),
        Just(ItemView::Misfit(vec!["/x: wrong".to_owned()])),
        Just(ItemView::Offered { schema: None }),
        Just(ItemView::Offered { schema: Some(json!({"type": "object"})) }),
        Just(ItemView::Offered { schema: Some(json!({"type": "object", "required": ["x"]})) }),
        Just(ItemView::Offered { schema: Some(json!({"properties": {"x": {"type": "string"}}})) }),
        Just(ItemView::Offered { schema: Some(json!({"properties": {"x": {"type": "null"}}})) }),
    ]
}

fn any_view() -> impl Strategy<Value = View> {
    use AdminState as A;
    use BreakerState as B;
    use ConnectionState as C;
    use HealthState as H;
    let admin = prop_oneof![
        4 => Just(A::Enabled), 1 => Just(A::Disabled), 1 => Just(A::Quarantined), 1 => Just(A::ConsentRequired)
    ];
    let connection = prop_oneof![
        Just(C::Idle),
        Just(C::Connecting),
        Just(C::Discovering),
        Just(C::AuthRequired),
        Just(C::Authorizing),
        Just(C::Ready),
        Just(C::Backoff),
        Just(C::Draining),
        Just(C::Stopped)
    ];
    let health = prop_oneof![Just(H::Unknown), Just(H::Healthy), Just(H::Degraded), Just(H::Unreachable)];
    let breaker = prop_oneof![3 => Just(B::Closed), 1 => Just(B::Open), 1 => Just(B::HalfOpen)];
    let group = prop_oneof![Just(None), Just(Some("g".to_owned())), Just(Some("h".to_owned()))];
    (admin, connection, health, breaker, group, any_item()).prop_map(
        |(admin, connection, health, breaker, group, item)| View {
            server: String::new(),
            group,
            generation: 3,
            admin,
            connection,
            health,
            breaker,
            status: "word",
            item,
        },
    )
}

fn any_views() -> impl Strategy<Value = Vec<View>> {
    proptest::collection::vec(any_view(), 0..8).prop_map(|mut views| {
        for (index, view) in views.iter_mut().enumerate() {
            view.server = format!("s{index}");
        }
        views
    })
}

fn any_whom() -> impl Strategy<Value = Whom> {
    prop_oneof![
        Just(Whom::OnlyOne),
        (0..9).prop_map(|n| Whom::Server(format!("s{n}"))),
        Just(group()),
        proptest::collection::vec(0..9, 1..6).prop_map(|order| {
            let names: Vec<String> = order.into_iter().map(|n| format!("s{n}")).collect();
            Whom::of(None, None, &names).unwrap()
        }),
    ]
}

proptest! {
    #[test]
    fn whoever_is_asked_is_fit_to_be_asked_and_whoever_is_not_has_a_reason(views in any_views(), whom in any_whom()) {
        let ranking = rank(&views, &whom, "echo");
        let of = |name: &String| views.iter().find(|view| view.server == *name).unwrap();
        for name in &ranking.order {
            let view = of(name);
            prop_assert_eq!(view.admin, AdminState::Enabled);
            prop_assert_eq!(view.breaker, BreakerState::Closed);
            prop_assert!(!matches!(
                view.connection,
                ConnectionState::AuthRequired
                    | ConnectionState::Authorizing
                    | ConnectionState::Draining
                    | ConnectionState::Stopped
            ));
            prop_assert!(!matches!(view.item, ItemView::Quarantined(_) | ItemView::Misfit(_)));
            match &whom {
                Whom::Server(named) => prop_assert_eq!(named, name),
                Whom::Prefer(named) => prop_assert!(named.contains(name)),
                Whom::Group(group) => prop_assert_eq!(view.group.as_ref(), Some(group)),
                Whom::OnlyOne => prop_assert_eq!(ranking.order.len(), 1),
            }
        }
        prop_assert_eq!(ranking.order.is_empty(), ranking.refusal.is_some());
        prop_assert!(ranking.excluded.iter().all(|excluded| !excluded.reason.is_empty()));
        // Nobody is both, nobody twice, and of those that were named nobody is passed over in silence.
        let mut told: Vec<&String> =
            ranking.order.iter().chain(ranking.excluded.iter().map(|excluded| &excluded.server)).collect();
        let all = told.len();
        told.sort();
        told.dedup();
        prop_assert_eq!(told.len(), all);
        let concerned = match &whom {
            Whom::Server(_) => 1,
            Whom::Prefer(order) => order.len(),
            Whom::Group(group) => views.iter().filter(|view| view.group.as_ref() == Some(group)).count(),
            Whom::OnlyOne => all,
        };
        prop_assert_eq!(all, concerned);
    }

    #[test]
    fn the_order_is_one_of_health_and_stable_within_it(views in any_views()) {
        let place = |name: &String| views.iter().position(|view| view.server == *name).unwrap();
        let grade = |name: &String| rank_of(views[place(name)].health);
        let ranking = rank(&views, &group(), "echo");
        for pair in ranking.order.windows(2) {
            let (first, second) = (grade(&pair[0]), grade(&pair[1]));
            prop_assert!(first < second || (first == second && place(&pair[0]) < place(&pair[1])));
        }
    }

    #[test]
    fn the_attempts_of_a_call_never_take_more_than_its_time(
        total_ms in 0u64..200_000,
        settings_ms in proptest::collection::vec(1u64..100_000, 1..8),
        used_percent in proptest::collection::vec(0u64..=100, 8),
    ) {
        let mut left = Duration::from_millis(total_ms);
        for (index, setting) in settings_ms.iter().enumerate() {
            let setting = Duration::from_millis(*setting);
            let given = share(setting, left, settings_ms.len() - index);
            prop_assert!(given <= setting && given <= left);
            // Everyone after this one still gets as much, unless it needs less.
            let after = settings_ms.len() - index - 1;
            prop_assert!(left - given >= given * u32::try_from(after).unwrap());
            left -= given * u32::try_from(used_percent[index]).unwrap() / 100;
        }
    }
}
