-- Mutants: a picture that is counted below what a maker asks for it, one that is counted twice, one of unknown size for nothing.
-- What makers ask was measured: tokens of one picture at GPT-6, GPT-5.5, Claude 5.5, Claude 4.5 and Gemini 3.
begin;
select plan(14);
create temporary table asked (width integer, height integer, gpt6 integer, gpt55 integer, claude55 integer, claude45 integer, gemini3 integer);
insert into asked values
(256, 256, 77, 77, 112, 100, 1090), (512, 512, 308, 308, 373, 361, 1090), (768, 768, 692, 692, 796, 784, 1090),
(1024, 1024, 1229, 1229, 1381, 1369, 1090), (1280, 720, 1104, 1104, 1208, 1196, 1101), (1080, 1920, 2448, 2448, 2703, 1560, 1101),
(2560, 1440, 4320, 4320, 3004, 1592, 1101), (3840, 2160, 9792, 9792, 3004, 1592, 1101), (4032, 3024, 14364, 11868, 3940, 1596, 1065);
select is_empty($$
    select from asked as a
    where gateway.fn_count_picture_tokens(array[a.width, a.height]) < greatest(a.gpt6, a.gpt55, a.claude55, a.claude45, a.gemini3)
$$, 'no picture is counted below what any of them asked');
select is(gateway.fn_count_picture_tokens('{256,256}'), 1120::bigint, 'the smallest costs what Gemini takes for any');
select is(gateway.fn_count_picture_tokens('{1024,1024}'), 2520::bigint, '1,024 patches at the dearest factor');
select is(gateway.fn_count_picture_tokens('{4032,3024}'), 14364::bigint, 'a photograph costs what it did');
select is(gateway.fn_count_picture_tokens('{7680,10}'), 7740::bigint, 'a strip is thirty tiles');
select is(gateway.fn_count_picture_tokens('{20000,20000}'), 188082::bigint, 'a poster is counted in tiles, of which there is no limit');
select is(gateway.fn_count_picture_tokens('{10,7680}'), 7740::bigint, 'upright, too');
select is(gateway.fn_count_picture_tokens('{256,256,4032,3024}'), 15484::bigint, 'pictures add up');
select is(gateway.fn_count_picture_tokens('{0,-1}'), 1120::bigint, 'nonsense is a picture');
select is(gateway.fn_count_picture_tokens('{}'), 0::bigint, 'none is none');
select is(gateway.fn_estimate_prompt_tokens(100, 2, 1), 6074::bigint, 'of unknown size each is 3,000');
select is(gateway.fn_estimate_prompt_tokens(100, 3, 1, '{256,256}'), 7194::bigint, 'so are those whose size is not told');
select is(gateway.fn_estimate_prompt_tokens(100, 1, 1, '{256,256}'), 1194::bigint, 'one that is told is counted by it');
select is(gateway.fn_estimate_prompt_tokens(100, 0, 1, null), 74::bigint, 'and a text has none');
select * from finish();
rollback;
