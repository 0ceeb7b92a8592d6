-- Keys at providers that were refused. Derived from results, like the health of offers.
set local role onevault_owner;

create table ops.key_health (
    provider_key_hk bytea primary key,
    refusals integer not null,
    last_error_class text not null,
    last_refused_at timestamptz not null,
    rests_until timestamptz not null
) with (fillfactor = 50);

comment on table ops.key_health is
'Keys that a provider refused (401, 402, 403): set aside for a minute, then two, at most an hour. A key that was taken
again, or set anew, has no row.';
