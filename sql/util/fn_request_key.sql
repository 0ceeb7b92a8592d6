-- Request keys are UUIDv7: 48 bits of milliseconds first, so a moment bounds a range of keys.
create or replace function util.fn_request_key_at(p_moment timestamptz) returns bytea
language sql immutable parallel safe
return decode(
    lpad(to_hex(floor(extract(epoch from p_moment) * 1000)::bigint), 12, '0') || repeat('0', 20), 'hex'
);

comment on function util.fn_request_key_at(timestamptz) is
'The lowest request key that can have been made at or after a moment (millisecond).';

create or replace function util.fn_request_time(p_request_hk bytea) returns timestamptz
language sql immutable parallel safe
return to_timestamp(
    (('x' || encode(substring(p_request_hk from 1 for 6), 'hex'))::bit(48)::bigint) / 1000.0
);

comment on function util.fn_request_time(bytea) is 'When a request key was made, to the millisecond.';
