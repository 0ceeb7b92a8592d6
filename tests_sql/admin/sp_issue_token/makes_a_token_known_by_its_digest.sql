begin;
select plan(13);
select test.make_offer('maker', 'model-a');
insert into admin.customer (customer) values ('Acme');
select results_eq(
    $$select i.identity, i.customer_reference from admin.sp_identify_customer('acme') as i$$,
    $$select util.hash_key('Acme'), util.fn_reference(util.hash_key('Acme'))$$, 'what a token is made with'
);
create temporary table issued as
select i.* from admin.sp_issue_token('acme', sha256('first'), 'ov_…st', '\x0102', '{"token_name": "ci", "cost_budget_daily": 1}') as i;
select is((select (tenant, customer)::text from issued), '(default,Acme)', 'tells whose it is');
select is((test.route(sha256('first'))).status, 'routed', 'it may call at once');
select is((select (t.token_name, t.token_hint, t.token_status, t.cost_budget_daily)::text
    from admin.token as t inner join issued as i on t.token_id = i.token_id), '(ci,ov_…st,ACTIVE,1)', 'it is in the list');
select is((select s.api_key_encrypted from gateway.customer_config_s as s
    where s.customer_hk = util.hash_key('Acme') and s.load_end_date is null), '\x0102'::bytea,
    'the customer keeps the sealed fingerprint of its first');
select is((select (f.customer, f.token_status)::text from admin.sp_find_token(sha256('first')) as f), '(Acme,ACTIVE)', 'it is found again');
select is_empty($$select * from admin.sp_find_token(sha256('other'))$$, 'and no other');
select admin.sp_issue_token('Acme', sha256('second'), 'ov_…nd', '\x0304');
select is((select s.api_key_encrypted from gateway.customer_config_s as s
    where s.customer_hk = util.hash_key('Acme') and s.load_end_date is null), '\x0102'::bytea, 'and of no other');
select is((select count(*) from admin.token where customer = 'Acme'), 2::bigint, 'a customer may have many');
select throws_ok($$select admin.sp_issue_token('nobody', sha256('x'), 'x', '\x')$$, 'VG404',
    'There is no customer ''nobody''', 'an unknown customer');
select throws_ok($$select admin.sp_issue_token('Acme', sha256('x'), 'x', '\x', '{"expires_at": "2020-01-01"}')$$, 'VG400',
    null, 'a token that has expired');
select throws_ok($$select admin.sp_issue_token('Acme', '\x01', 'x', '\x')$$, 'VG400', null, 'a digest that is none');
select throws_ok($$select admin.sp_issue_token('Acme', sha256('x'), 'x', '\x', '{"scopes": ["everything"]}')$$, 'VG400',
    'One of these scopes is not known', 'an unknown scope');
select * from finish();
rollback;
