-- Mutants: another name that is the same key, a first key whose identity changed, an own setting on a key of the house.
begin;
select plan(18);
select test.make_offer('maker', 'model-a', 1, 1);
select test.make_offer('rival', 'model-b', 1, 1);
select test.make_customer('caller');
select is(
    admin.sp_identify_provider_key('maker', 'caller', n.name), util.hash_key('customer', 'caller', 'maker'),
    'the first key is the one that had no name'
)
from (values (null), ('own'), ('Default')) as n (name);
select isnt(
    admin.sp_identify_provider_key('maker', 'caller', 'second'), util.hash_key('customer', 'caller', 'maker'), 'another is another'
);
select admin.sp_set_provider_key('maker', 'caller', n.name, sha256(convert_to(n.name, 'UTF8')), '\x01', 'k1', false)
from (values ('own'), ('Second')) as n (name);
select admin.sp_set_provider_key('maker', null, 'default', sha256('house'), '\x01', 'k1', false);
select is(
    array(select k.key_name from admin.provider_key as k where k.customer = 'caller' order by k.key_name), array['own', 'second']
);
select is(k.falls_back, true, 'the house''s may follow, if nothing else is said') from admin.provider_key as k where k.key_name = 'second';
update admin.provider_key set
    falls_back = false, allowed_models = '{Model-A}', daily_spending_limit = 1.5, monthly_spending_limit = 20
where customer = 'caller' and key_name = 'second';
select is(
    (k.falls_back, k.allowed_models, k.daily_spending_limit, k.monthly_spending_limit)::text, '(f,{model-a},1.5,20)', 'what is set'
)
from admin.provider_key as k where k.key_name = 'second';
select is(
    (k.falls_back, k.allowed_models, k.daily_spending_limit, k.monthly_spending_limit)::text, '(t,,,)', 'and of no other key'
)
from admin.provider_key as k where k.key_name = 'own';
select throws_like(
    $$update admin.provider_key set allowed_models = '{model-b}' where customer = 'caller'$$, 'maker has no model ''model-b''%'
);
select throws_like(
    $$update admin.provider_key set allowed_models = '{model-x}' where customer = 'caller'$$, 'There is no model%'
);
select throws_like(
    $$update admin.provider_key set daily_spending_limit = -1 where customer = 'caller'$$, 'A spending limit cannot be negative%'
);
select throws_like($$update admin.provider_key set key_status = 'LOST' where customer = 'caller'$$, 'This key status is not known%');
select throws_like($$update admin.provider_key set falls_back = null where customer = 'caller'$$, 'falls_back cannot be NULL%');
select throws_like($$update admin.provider_key set key_name = 'x' where customer = 'caller'$$, '%key_name%');
select throws_like($$update admin.provider_key set falls_back = false where customer is null$$, '%falls_back%');
delete from admin.provider_key as k where k.customer = 'caller' and k.key_name = 'own';
select is(
    array(select k.key_name || ' ' || k.key_status from admin.provider_key as k where k.customer = 'caller' order by k.key_name),
    array['own REVOKED', 'second ACTIVE'], 'DELETE revokes the one'
);
select is(
    array(select h.falls_back from admin.provider_key_history as h where h.key_name = 'second' order by h.load_date),
    array[true, false], 'and each version is kept'
);
select is(
    p.own_keys, jsonb_build_object('maker', jsonb_build_object(
        'any', null, 'models', jsonb_build_object('model-a', jsonb_build_object(
            'keys', array[encode(admin.sp_identify_provider_key('maker', 'caller', 'second'), 'hex')], 'stays', true
        ))
    )), 'the road sees what is in force'
)
from ops.principal as p where p.customer_bk = 'caller';
select * from finish();
rollback;
