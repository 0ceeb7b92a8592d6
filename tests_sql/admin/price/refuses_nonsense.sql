begin;
select plan(8);
select test.make_offer('maker', 'model-a');
select throws_ok($$insert into admin.price (provider, model, meter, usd_per_million) values ('maker', 'nothing', 'input', 1)$$,
    'VG404', 'The provider ''maker'' has no model ''nothing''', 'an unknown model');
select throws_ok($$insert into admin.price (provider, model, meter, usd_per_million) values ('maker', 'model-a', 'thought', 1)$$,
    'VG400', 'This meter is not known', 'an unknown meter');
select throws_ok($$insert into admin.price (provider, model, usd_per_million) values ('maker', 'model-a', 1)$$, 'VG400', null, 'no meter');
select throws_ok($$insert into admin.price (provider, model, meter) values ('maker', 'model-a', 'cache_read')$$, 'VG400',
    'usd_per_million cannot be NULL', 'no amount: an unknown price is not zero');
select throws_ok($$update admin.price set usd_per_million = -1 where model = 'model-a'$$, 'VG400', 'A price cannot be negative', 'negative');
select throws_ok($$insert into admin.price (provider, model, meter, usd_per_million, valid_from)
    values ('maker', 'model-a', 'input', 1, '-infinity')$$, 'VG409', null, 'one that is there');
select throws_ok($$update admin.price set valid_to = '-infinity' where model = 'model-a'$$, 'VG400',
    'This would end before it begins', 'an end before the beginning');
select throws_ok($$update admin.price set meter = 'output' where model = 'model-a'$$, 'VG400', null, 'another meter');
select * from finish();
rollback;
