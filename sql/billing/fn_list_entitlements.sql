-- Days and not words alone, so that a subscription that begins or ends at midnight needs nobody to be awake.
create or replace function ops.fn_list_entitled_days(p_customer_hk bytea) returns jsonb
language sql stable
begin atomic
    select jsonb_object_agg(e.word, e.days)
    from (
        select w.word, range_agg(daterange(s.valid_from, s.valid_to)) as days
        from gateway.subscription_l as l
        inner join gateway.subscription_s as s on l.subscription_hk = s.subscription_hk and s.load_end_date is null
        inner join gateway.plan_s as p on l.plan_hk = p.plan_hk and p.load_end_date is null
        cross join lateral unnest(p.entitlements) as w (word)
        where l.customer_hk = p_customer_hk
        group by w.word
    ) as e;
end;

comment on function ops.fn_list_entitled_days(bytea) is
'What a customer''s plans entitle him to, as ops.principal.entitlements holds it: days by word. NULL for nothing ever.';

create or replace function gateway.fn_entitled_on(p_entitlements jsonb, p_day date) returns text[]
language sql immutable parallel safe
begin atomic
    select coalesce(array_agg(e.word order by e.word), '{}')
    from jsonb_each_text(p_entitlements) as e (word, days)
    where e.days::datemultirange @> p_day;
end;

comment on function gateway.fn_entitled_on(jsonb, date) is
'Words of ops.principal.entitlements whose days hold this one.';

create or replace function gateway.fn_list_entitlements(p_customer_hk bytea, p_day date) returns text[]
language sql stable
return gateway.fn_entitled_on(ops.fn_list_entitled_days(p_customer_hk), p_day);

comment on function gateway.fn_list_entitlements(bytea, date) is
'What a customer''s plans entitle him to on a day of his tenant''s zone: words in alphabetical order.';
