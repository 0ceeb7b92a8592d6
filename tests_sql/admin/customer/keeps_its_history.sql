begin;
select plan(6);
select test.make_provider('openai') where not exists (select from admin.provider where provider = 'openai');
insert into admin.customer (customer, priority_tier, cost_budget_daily, compliance, preferred_providers)
values (' Acme ', 'premium', 12.5, '{hipaa, " gdpr",HIPAA}', '{OpenAI}');
select results_eq(
    $$select c.tenant, c.priority_tier, c.cost_budget_daily, c.cost_budget_monthly, c.compliance, c.preferred_providers,
        c.is_active, length(c.customer_reference) from admin.customer as c where c.customer = 'Acme'$$,
    $$values ('default', 'PREMIUM', 12.5, null::numeric, '{GDPR,HIPAA}'::text[], '{openai}'::text[], true, 8)$$,
    'names and words as routing compares them'
);
update admin.customer set cost_budget_daily = 20, cost_budget_monthly = 0 where customer = 'Acme';
update admin.customer set compliance = '{GDPR,HIPAA}', preferred_providers = null where customer = 'Acme';
update admin.customer set compliance = compliance where customer = 'Acme';
select results_eq(
    $$select h.cost_budget_daily, h.cost_budget_monthly, h.preferred_providers
        from admin.customer_history as h where h.customer = 'Acme' order by h.load_date$$,
    $$values (12.5, null::numeric, '{openai}'::text[]), (20, 0, '{openai}'), (20, 0, null)$$, 'a version a change'
);
do $$
begin
    update admin.customer set cost_budget_daily = 99 where customer = 'Acme';
    raise exception 'changed my mind';
exception
    when raise_exception then null;
end
$$;
select is((select count(*) from admin.customer_history where customer = 'Acme'), 3::bigint, 'what is rolled back leaves nothing');
delete from admin.customer where customer = 'Acme';
select is_empty($$select from admin.customer where customer = 'Acme'$$, 'deleted, it is gone');
select is((select count(*) from admin.customer_history where customer = 'Acme'), 4::bigint, 'a last version');
select is(
    (select (h.is_active, h.record_source)::text from admin.customer_history as h
        where h.customer = 'Acme' order by h.load_date desc limit 1),
    ('(f,' || session_user || ')'), 'says who deleted it'
);
select * from finish();
rollback;
