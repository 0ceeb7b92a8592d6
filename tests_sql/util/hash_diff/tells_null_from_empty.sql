begin;
select plan(4);
select isnt(util.hash_diff(null, 'a'), util.hash_diff('', 'a'), 'NULL is not an empty text');
select isnt(util.hash_diff('Acme'), util.hash_diff('ACME'), 'case is kept');
select isnt(util.hash_diff('a', null), util.hash_diff(null, 'a'), 'places count');
select isnt(util.hash_diff('-'), util.hash_diff(null::text), 'a dash is not NULL');
select * from finish();
rollback;
