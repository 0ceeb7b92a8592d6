-- Offers as they were after a change of that number.
create or replace function gateway.fn_offers_at(p_epoch bigint) returns setof ops.offer
language sql stable
begin atomic
    select o from ops.offer as o where o.from_epoch <= p_epoch
    union all
    select w
    from ops.past as p
    cross join lateral jsonb_populate_record(null::ops.offer, p.was) as w
    where p.thing = 'offer' and p.from_epoch <= p_epoch and p.until_epoch > p_epoch;
end;

comment on function gateway.fn_offers_at(bigint) is 'The offers of an epoch.';
