//! What servers of this kind have died of, one module a class: each shows that it cannot happen here.
//!
//! | row | class | shown by |
//! |---|---|---|
//! | 1 | STUN parsers | `media::strangers_reach_no_parser_behind_ice`, `media::malformed_checks_are_dropped`; corpora `demux`, `stun`, `engine` |
//! | 2 | ClientHello from elsewhere | `media::strangers_reach_no_parser_behind_ice`, `handshake::a_foreign_hello_never_reaches_the_session` |
//! | 3 | DTLS states | `media::another_certificate_than_announced_is_refused`, `media::endless_handshake_fragments_are_bounded`, `media::a_stalled_handshake_times_out`, `handshake::a_second_handshake_brings_no_second_keys`, `a_damaged_finished_brings_no_keys` in `ingress/dtls`; corpus `dtls` |
//! | 4 | nonces used twice | `nonces`, `fanout`, `handshake::a_second_handshake_brings_no_second_keys` |
//! | 5 | padding, RTX, header extensions | `flows::extensions`; corpora `rtp`, `dependency`, `engine` |
//! | 6 | codec payloads | corpora `frame`, `dependency`, `red`, `engine` |
//! | 7 | RTCP, feedback storms | `media::key_frame_storms_are_coalesced`, `storms`; corpora `rtcp`, `arrived` |
//! | 8 | SCTP, DCEP | `privacy::sdp` (a data channel is answered with port 0); `rtc-sctp` is refused by `architecture::dependencies` |
//! | 9 | sources without end | `media::new_sources_for_ever_are_bounded` |
//! | 10 | wraps and jumps | `media::jumps_of_any_size_are_survived`, `nonces`, properties of `egress/codec` and `ingress/stream` |
//! | 11 | amplification | `media::nothing_is_sent_to_who_has_not_passed_a_check`, `media::repeats_are_rationed`, `paths::no_media_goes_where_nobody_has_answered`; of a shared port: `a_flood_of_claims_leaves_room_for_sessions` in `shard/door`, `a_flood_is_bounded_and_evicts_nobody_in_use` in `shard/door/paths` |
//! | 12 | bleed and injection | `media::strangers_reach_no_parser_behind_ice`, `media::replays_are_dropped`, `media::a_forged_packet_moves_no_window`, `paths`, `network::shared::only_what_has_authenticated_teaches`, `network::shared::nobody_takes_the_path_of_a_session_on_another_shard` |
//! | 13 | relay to private addresses | `media::nothing_is_sent_to_who_has_not_passed_a_check`, `privacy::sdp`: there is no relay, and `control::Offer` has no place for an address that a peer names |
//! | 14 | descriptions | `privacy::sdp`, unit tests of `gateway/sdp`; corpora `sdp-offer`, `sdp-fragment`, `message`, `headers` |
//! | 15 | tokens that pretend | `confusion` and `proofs` in `auth/tests`, `tokens::a_token_cannot_be_bent`, `tokens::each_profile_takes_its_own_kind_of_token_and_no_other`, `tokens::what_could_be_an_id_token_is_refused_whatever_else_fits`; corpus `token` |
//! | 16 | revocation that does not stick | `privacy::revoked`, `privacy::put_out`, `programs::who_is_kept_out_gets_in_by_no_other_grant`, `invitations::a_revoked_invitation_takes_its_tokens_along`, `stream_keys::whatever_process_revokes_a_key_its_broadcast_ends`; `revocation` in `benches/load` |
//! | 17 | another's session | `tokens::a_session_is_its_owners`, `whip::a_session_is_nobody_elses`, `whip::one_broadcaster_at_a_time_and_the_same_one_replaces_itself` |
//! | 18 | across tenants | `routes::every_cell_is_decided`, `tokens::a_token_is_good_for_its_event_its_scope_and_its_server`, `programs::a_program_sees_and_touches_its_own_events_alone` |
//! | 19 | secrets in logs and errors | `at_rest::no_canary_is_written_down`, `silence::nothing_of_ours_tells_of_a_person`, `strangers::a_stranger_learns_of_nobody` |
//! | 20 | personal data at every sink | `at_rest::no_canary_is_written_down`, `sinks::nothing_said_or_shown_comes_to_light_for_others`, `scan::a_leak_is_named_with_its_sink`, `image::what_was_erased_is_in_no_memory`, `silence::nothing_of_ours_tells_of_a_person`, `what_could_tell_of_a_person_does_not_compile`, `retention::whatever_is_held_in_memory_has_a_row`, `make edges` |
//! | 21 | limits of HTTP and WebSocket | `privacy::slow`, `server::slow_clients_are_let_go_and_hold_nobody_up`, `server::oversized_headers_are_refused`; corpora `headers`, `message` |
//! | 22 | scripts, foreign pages | `privacy::web`, `edge::foreign_pages_are_refused_and_friends_may_read` |
//! | 23 | paths, line ends, prefixes | `privacy::paths`, `operators::requests_that_are_not_our_pages` |
//! | 24 | timing of secrets | secrets are looked up by digest or HMAC (`records/issuer`, `records/sessions`), the token of the figures and packets' tags are compared in constant time; `operators::signing_in_tells_nothing` |
//! | 25 | growth under churn | `server::churn`, `make soak` |
//! | 27 | side channels of metadata | `extensions::the_audio_level_passes_in_public_events_only`; docs/silence.md says what remains |
//! | 28 | consent races | `a_consent_that_could_be_kept_or_bent_does_not_compile`, `histories::no_history_of_decisions_lets_anything_forbidden_through`, `a_withdrawal_waits_for_what_is_being_handed_over`, `chat_histories`, `deliveries::no_history_shows_a_place_to_whom_it_is_not_for` |
//! | 29 | location: averaging, borders, differencing, planted sharers | `attackers` and `histories` in `room/tests/location`, `location::five_accounts_make_an_area_of_the_viewers_map_and_guests_none`; averaging and borders, which the device withstands, in the client's tests; docs/location.md says what remains |
//! | 30 | vulnerable dependencies | `architecture::dependencies`: few, argued for, some refused by name |
//! | 31 | tokens that outlive themselves | `revoked::a_token_that_has_run_out_carries_nothing_more`, `sockets::a_lease_ends_with_its_token_unless_it_is_renewed` |
//! | 32 | bindings confused | `credentials::a_token_without_its_key_opens_nothing`, `credentials::an_offer_is_held_to_the_certificate_that_was_proven`, `proofs::a_copied_token_is_worth_nothing` |
//! | 33 | a provider that tracks | `sign_in::somebody_signs_in_elsewhere_watches_and_is_out_when_signed_out_there`, `refused::a_code_goes_to_no_provider_but_its_own` |
//! | 34 | identifiers that tie visits together | `identifiers::nothing_ties_a_persons_visits_together`, `observer::nothing_is_shared_over_events_or_epochs` |
//! | 35 | consent forged by the page around | `consent::a_page_of_another_origin_consents_for_nobody`, `embed.test` |
//! | 36 | other people's log lines | `no_filter_lets_anybody_else_speak`, `a_panic_tells_its_place_and_not_its_words`, `silence::other_peoples_crates_are_known_for_what_they_tell`, `at_rest::no_canary_is_written_down` |
//! | 37 | counts, presence, timing | `observer::who_of_two_left_is_told_by_nothing`, `observer::figures_tell_little_of_one_person`; of the session log: `observer::an_observer_guesses_who_left_no_better_than_chance`, `guards::whatever_happens_the_guards_hold`; of figures: `figures::one_person_more_or_less_changes_little`, `figures::whoever_says_yes_is_counted_until_they_take_it_back_and_the_log_has_the_choice` |
//! | 39 | requests that the server is led to | `outgoing/reach`, `webhooks::what_is_no_receiver_is_refused_with_a_word`, `refused::what_a_provider_names_elsewhere_is_not_asked`, `refused::a_provider_that_fails_lets_nobody_in_and_recovers` |
//! | 40 | enrolment as a way around | `factors::a_first_factor_needs_a_fresh_sign_in_and_a_second_one_the_first`, `factors::a_password_alone_leads_no_further_than_to_a_first_factor`, `account::from_the_first_start_to_a_stream_key_with_a_passkey` |
//!
//! Rows 26, 38 and 41 are about what this version does not have yet.

mod fanout;
mod handshake;
mod layers;
mod media;
mod nonces;
mod paths;
mod storms;
