begin;
select plan(9);
select test.make_customer('payer');
create temporary table posted as select gateway.fn_post_entry(
    util.hash_key('payer'), 'PAYMENT', 'payment:1', '[{"account": "cash", "amount_usd": 10}, {"account": "receivable", "amount_usd": -10}]'
) as hk;
select is((select count(*) from gateway.ledger_posting_s as s), 2::bigint, 'two postings');
select is((select sum(s.amount_usd) from gateway.ledger_posting_s as s), 0.0000000000, 'which balance');
select is(
    gateway.fn_post_entry(
        util.hash_key('payer'), 'PAYMENT', 'payment:1', '[{"account": "cash", "amount_usd": 10}, {"account": "receivable", "amount_usd": -10}]'
    ), (select p.hk from posted as p), 'posted again it is the same entry'
);
select is((select count(*) from gateway.ledger_posting_s as s), 2::bigint, 'and adds nothing');
select throws_ok(
    $$select gateway.fn_post_entry(util.hash_key('payer'), 'PAYMENT', 'payment:2',
        '[{"account": "cash", "amount_usd": 10}, {"account": "receivable", "amount_usd": -9.9999999999}]')$$,
    'VG500', null, 'what does not balance is not written'
);
select throws_ok(
    $$select gateway.fn_post_entry(util.hash_key('payer'), 'PAYMENT', 'payment:3', '[]')$$, 'VG500', null, 'nor what says nothing'
);
select throws_ok(
    $$update gateway.ledger_posting_s as s set amount_usd = 5$$, 'VG409', null, 'a posting is not changed, by the owner neither'
);
select throws_ok($$delete from gateway.ledger_entry_h$$, 'VG409', null, 'nor an entry deleted');
select gateway.fn_post_entry(
    util.hash_key('payer'), 'CORRECTION', 'payment:1:back', '[{"account": "cash", "amount_usd": -10}, {"account": "receivable", "amount_usd": 10}]',
    p_refers_to => (select p.hk from posted as p)
);
select is(
    (select sum(s.amount_usd) from gateway.ledger_posting_s as s where s.account = 'receivable'), 0.0000000000,
    'it is corrected by an entry that refers to it'
);
select * from finish();
rollback;
