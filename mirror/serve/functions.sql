-- What MySQL's functions and texts are in DuckDB. One macro per idea, each used by the rule of
-- the same name in mirror/serve/translate/. Times are microseconds in a BIGINT.

-- The text under which MySQL's default collations compare: no small letters, no accents, and
-- as PAD SPACE wants it, no spaces at the end.
create macro folded(t) as replace(upper(strip_accents(t)), 'ẞ', 'S');
create macro collated(t) as rtrim(folded(t), ' ');

-- The number a text begins with, 0 if with none.
create macro leading_digits(t) as
    nullif(regexp_extract(t, '^\s*([+-]?(\d+\.?\d*|\.\d+)([eE][+-]?\d+)?)', 1), '');
create macro leading_number(t) as case when t is not null then
    coalesce(try_cast(leading_digits(t) as double), 0.0) end;
create macro leading_integer(t) as case when t is not null then cast(
    least(9223372036854775807, greatest(-9223372036854775808, coalesce(
        try_cast(nullif(regexp_extract(t, '^\s*([+-]?\d{1,30})', 1), '') as hugeint), 0)))
    as bigint) end;
-- The same of bytes; as text DuckDB writes what is no letter as \\x and two digits.
create macro leading_number_of_bytes(b) as
    leading_number(regexp_replace(cast(b as varchar), '^(\\x0[9A-D]| )+', ''));

-- A DOUBLE as MySQL prints it: shortest digits, a plain number between 1e-15 and 1e15.
create macro _digits(t) as rtrim(replace(ltrim(regexp_replace(t, 'e.*$', ''), '-0.'), '.', ''), '0');
-- DuckDB leaves the exponent out from 1e-4 to 1e16.
create macro _exponent(x) as case
    when contains(cast(x as varchar), 'e')
        then cast(regexp_extract(cast(x as varchar), 'e(.*)$', 1) as integer)
    when abs(x) < 1 then -4
    else 15
end;
create macro double_text(x) as case
    when abs(x) >= 1e-3 and abs(x) < 1e15 then
        if(x = trunc(x), cast(cast(x as bigint) as varchar), cast(x as varchar))
    when x = 0 then '0'
    when abs(x) >= 1e15 or abs(x) < 1e-15 then
        if(x < 0, '-', '') || _digits(cast(x as varchar))[1]
        || if(len(_digits(cast(x as varchar))) > 1, '.' || _digits(cast(x as varchar))[2:], '')
        || 'e' || cast(_exponent(x) as varchar)
    else if(x < 0, '-', '') || '0.' || repeat('0', -_exponent(x) - 1)
        || _digits(cast(x as varchar))
end;

-- A FLOAT leaves MySQL with six digits.
create macro float_value(x) as cast(printf('%.6g', cast(x as double)) as double);
create macro float_text(x) as double_text(float_value(x));

-- A TIME as MySQL prints it, with `d` digits of a second.
create macro two_digits(n) as if(n < 10, '0', '') || cast(n as varchar);
create macro time_text(us, d) as if(us < 0, '-', '') || two_digits(abs(us) // 3600000000)
    || ':' || two_digits(abs(us) // 60000000 % 60) || ':' || two_digits(abs(us) // 1000000 % 60)
    || if(d > 0, '.' || left(lpad(cast(abs(us) % 1000000 as varchar), 6, '0'), d), '');
create macro time_number(us) as if(us < 0, -1, 1) * (
    abs(us) // 3600000000 * 10000 + abs(us) // 60000000 % 60 * 100 + abs(us) // 1000000 % 60);
create macro clipped(us, most) as case when us > most then most when us < -most then -most else us end;

-- Beyond the calendar a moment is NULL.
create macro in_calendar(m) as
    case when m between timestamp '0001-01-01' and timestamp '9999-12-31 23:59:59.999999' then m end;
-- A time plus an interval is NULL if it is too long.
create macro span_or_null(us) as if(abs(us) < 3020400000000, us, null);
create macro make_span(h, m, s) as case when m between 0 and 59 and s between 0 and 59 then
    clipped(cast((abs(h) * 60 + m) * 60 + s as bigint) * 1000000 * if(h < 0, -1, 1), 3020399000000)
end;

-- MySQL's days: years of two digits are of 1970 to 2069, seconds end in January 2038.
create macro make_day(y, n) as case when n > 0 and y between 0 and 9999 then
    make_date(y + case when y < 70 then 2000 when y < 100 then 1900 else 0 end, 1, 1)
    + cast(n - 1 as integer)
end;
-- Weeks count from Sunday, or from Monday with a shift of 6; a week is of the year of its first day,
-- or of its fourth.
create macro deciding_day(m, shift, place) as
    cast(m as date) - cast((dayofweek(m) + shift) % 7 as integer) + place;
create macro week_number(d) as (dayofyear(d) - 1) // 7 + 1;
create macro week_in_year(m, d) as case
    when year(d) < year(m) then 0
    when year(d) > year(m) then week_number(d - 7) + 1
    else week_number(d)
end;
create macro from_days(n) as case
    when n between 366 and 3652424 then date '0001-01-01' + cast(n - 366 as integer)
    when n <> 0 then error('The mirror has no day 0000-00-00')
end;
create macro to_epoch(m) as
    case when epoch_us(m) between 0 and 2147483647999999 then epoch_us(m) end;
create macro from_epoch(us) as
    case when us between 0 and 2147483647999999 then make_timestamp(us::bigint) end;
create macro without_fraction(t, shown) as
    if(contains(t, '.'), error('The mirror adds no interval to the text ' || t), shown);

-- MySQL leaves alone what its TIMESTAMP does not hold.
create macro converted(m, utc, there) as
    if(utc > timestamp '1970-01-01 00:00:00' and utc < timestamp '2038-01-19 03:14:08', there, m);

-- A DOUBLE of seconds, which SEC_TO_TIME takes apart in billionths, and INTERVAL by its digits.
create macro seconds_to_microseconds(x) as cast(trunc(x) as bigint) * 1000000
    + cast(trunc((x - trunc(x)) * 1000000000) as bigint) // 1000;
create macro digits_to_microseconds(x) as cast(sign(x) * (round(abs(x) * 1000000)
    - if(abs(x) < round(abs(x) * 1000000) / 1000000, 1, 0)) as bigint);

-- The moment of a statement in UTC, with so many digits of the second: DuckDB's own today() is that
-- of the computer's time zone.
create macro this_moment(digits) as make_timestamp(
    epoch_us(get_current_timestamp()) // cast(10 ** (6 - digits) as bigint)
    * cast(10 ** (6 - digits) as bigint)
);

-- Texts that are dates, datetimes and times; NULL if they cannot be. MySQL reads many a text as
-- a date: what is not written plainly is an error here, not a guess.
create macro moment(t) as case
    when t is null then null
    when regexp_full_match(t, '\d{4}-\d\d-\d\d([ T]\d\d:\d\d(:\d\d(\.\d{1,6})?)?)?')
        and try_cast(t as timestamp) is not null then cast(t as timestamp)
    when regexp_full_match(t, '\d{8}') and try_strptime(t, '%Y%m%d') is not null
        then strptime(t, '%Y%m%d')
    when regexp_full_match(t, '\d{14}') and try_strptime(t, '%Y%m%d%H%M%S') is not null
        then strptime(t, '%Y%m%d%H%M%S')
    when not regexp_matches(t, '^\s*\d') then null
    else error('The mirror is not sure which date MySQL makes of ' || t)
end;
-- MySQL reads what a text begins with: NULL only where that can be nothing.
create macro read_date(t, form, has_name) as case
    when t is null then null
    when year(try_strptime(t, form)) >= 1000 then strptime(t, form)
    when not has_name and not regexp_matches(t, '^\s*(\d|$)') then null
    else error('The mirror is not sure which date MySQL reads in ' || t)
end;
create macro span(t) as case
    when t is null then null
    when regexp_full_match(t, '-?\d{1,3}:[0-5]\d(:[0-5]\d(\.\d{1,6})?)?')
        then if(starts_with(t, '-'), -1, 1) * least(3020399000000,
            cast(split_part(ltrim(t, '-'), ':', 1) as bigint) * 3600000000
            + cast(split_part(t, ':', 2) as bigint) * 60000000
            + cast(round(cast('0' || split_part(t, ':', 3) as double) * 1000000) as bigint))
    when regexp_full_match(t, '\d{4}-\d\d-\d\d[ T]\d\d:\d\d:\d\d(\.\d{1,6})?')
        then epoch_us(moment(t)) - epoch_us(date_trunc('day', moment(t)))
    when not regexp_matches(t, '^\s*-?\d') then null
    else error('The mirror is not sure which time MySQL makes of ' || t)
end;

-- MySQL divides decimals to the ninth digit and cuts there; it shows `d` digits. DOUBLE errs
-- behind the fifteenth, before the point and behind it. A text that is no number is refused as
-- error() is, which no window may be ordered by.
create macro quotient(a, b, d) as case
    when abs(a / nullif(b, 0)) < 1e3 then trunc(round(a / nullif(b, 0) * 1e9, 3)) / 1e9
    when abs(a / nullif(b, 0)) < pow(10, 15 - d) then a / nullif(b, 0)
    when a / nullif(b, 0) is not null
        then cast('The mirror does not divide so large numbers' as double)
end;

create macro finer_quotient(a, b, d) as case
    when abs(a / nullif(b, 0)) < pow(10, 15 - d) then a / nullif(b, 0)
    when a / nullif(b, 0) is not null
        then cast('The mirror does not divide so large numbers' as double)
end;

-- DIV counts in decimals: 1 DIV 0.00001 is 100000, whatever the last bit of its DOUBLE.
create macro whole_quotient(a, b) as case
    when abs(a / nullif(b, 0) - round(a / nullif(b, 0))) <= abs(a / nullif(b, 0)) * 3e-16
        then cast(round(a / nullif(b, 0)) as bigint)
    when abs(a / nullif(b, 0)) < 1e12 then cast(trunc(a / nullif(b, 0)) as bigint)
    when a / nullif(b, 0) is not null
        then cast('The mirror does not divide so large numbers' as bigint)
end;

-- An integer as MySQL's bits, 64 without a sign.
create macro bits(x) as cast(x as hugeint) & 18446744073709551615;
create macro shifted_left(x, n) as case
    when n > 63 then x * 0
    else (x & (18446744073709551615::hugeint >> n)) << n
end;
create macro shifted_right(x, n) as case when n > 63 then x * 0 else x >> n end;

-- ROUND and TRUNCATE of a DOUBLE at a place of the power p, in the steps in which MySQL does it:
-- what lies in the middle goes to the even digit. From 2^52 on a DOUBLE has no fraction.
create macro rounded(x, p) as if(abs(x) >= 4503599627370496 / p, x, cast(x * p as bigint) / p);
create macro cut(x, p) as if(abs(x) >= 4503599627370496 / p, x, trunc(x * p) / p);
create macro cut_exactly(x, step) as x - x % step;
create macro rounded_at(x, n) as
    if(n < 0, rounded(x / pow(10, -n), 1) * pow(10, -n), rounded(x, pow(10, n)));
create macro cut_at(x, n) as if(n < 0, cut(x / pow(10, -n), 1) * pow(10, -n), cut(x, pow(10, n)));
-- A DOUBLE as it becomes a decimal: its shortest digits, of which a last 5 goes away from zero.
-- (2k + 1) / 2p is the DOUBLE of k.5 / p.
create macro half_up(x, p) as sign(x) * (trunc(abs(x) * p)
    + if(abs(x) >= (trunc(abs(x) * p) * 2 + 1) / (p * 2), 1, 0)) / p;

-- The power of ten that ROUND and TRUNCATE count integers in.
create macro power_of_place(n) as cast(pow(10, case
    when n < -18 then 18 when n < 0 then -n when n >= 0 then 0 end) as bigint);

-- What MySQL refuses to hold.
create macro finite(x) as if(isinf(x), cast('DOUBLE value is out of range' as double), x);
create macro unsigned(x) as if(x between 0 and 18446744073709551615, x,
    if(x is null, null, cast('BIGINT UNSIGNED value is out of range' as bigint)));
create macro to_unsigned(x) as cast(if(x < 0, x::hugeint + 18446744073709551616, x) as hugeint);

-- DuckDB does not count the texts it works on as memory.
create macro room(x, size) as if(
    size > 1048576, error('The mirror makes no texts of more than 1048576 bytes'), x
);

-- DuckDB tries all ways to fit several % of LIKE, which may last for ever.
create macro few_wildcards(pattern) as if(
    len(pattern) - len(replace(pattern, '%', '')) > 2,
    error('The mirror takes no pattern of LIKE with more than two %, unless it is a constant'),
    pattern
);

-- What DuckDB's greatest would make of NULL is 0.
create macro at_least_0(n) as if(n < 0, 0, n);

-- Pieces of texts; places count from 1, from the end if negative.
create macro slice(t, start, n) as case
    when n is null then null
    when start = 0 or n <= 0 or -start > len(t) then if(t is null or start is null, null, '')
    else substring(t, if(start < 0, len(t) + start + 1, start), n)
end;
create macro rest(t, start) as slice(t, start, len(t));
-- LOCATE compares bytes of equal number, so that e with an accent is found by another, not by e.
create macro lettered(t) as translate(upper(t),
    'ÁÂÃÄÅÉÊËÍÎÏÑÓÔÕÖÚÛÜÝ', 'ÀÀÀÀÀÈÈÈÌÌÌÑÒÒÒÒÙÙÙÝ');
create macro locate(found, t, start) as case
    when start < 1 or start > greatest(1, len(t)) then if(t is null or found is null, null, 0)
    when start = 1 then cast(strpos(t, found) as bigint)
    when strpos(substring(t, start), found) = 0 then 0
    else strpos(substring(t, start), found) + start - 1
end;
create macro padded(t, n, filling, filled) as case
    when n < 0 or filling is null then null
    when len(t) >= n then left(t, n)
    when filling = '' then null
    else filled
end;
create macro substring_index(t, separator, n) as case
    when separator = '' or n = 0 then if(t is null, null, '')
    when n > 0 then array_to_string(string_split(t, separator)[1:n], separator)
    when n < 0 then array_to_string(string_split(t, separator)[greatest(1, len(string_split(t, separator)) + n + 1):], separator)
end;
create macro find_in_set(a, many) as if(many = '', if(a is null, null, 0),
    if(a is null or many is null, null, coalesce(list_position(string_split(many, ','), a), 0)));
create macro place(a, others) as if(a is null, 0, coalesce(list_position(others, a), 0));
create macro zero_filled(b, n) as b || unhex(repeat('00', greatest(n - octet_length(b), 0)));
create macro from_hex(t) as if(regexp_full_match(t, '[0-9A-Fa-f]*'), unhex(t), null);
create macro grouped(t) as regexp_replace(
    reverse(regexp_replace(reverse(split_part(t, '.', 1)), '(\d{3})', '\1,', 'g')), '^(-?),', '\1')
    || if(contains(t, '.'), '.' || split_part(t, '.', 2), '');

-- A JSON document, NULL of what is none to MySQL; DuckDB takes a last comma, NaN and Infinity.
create macro _looks_odd(t) as regexp_matches(t, ',\s*[\]}]|[nN][aA][nN]|[iI][nN][fF]');
create macro _is_odd(t) as
    _looks_odd(t) and _looks_odd(regexp_replace(t, '"([^"\\]|\\.)*"', '""', 'g'));
create macro document(t) as case when _is_odd(t) then null else try_cast(t as json) end;
create macro is_document(t) as json_valid(t) and not _is_odd(t);
-- What JSON_EXTRACT has found, as the text or the number that it is.
create macro unquoted(t) as
    if(starts_with(t, '"') and json_valid(t), json_extract_string(t, '$'), t);
create macro json_number(t) as if(t = 'true', 1.0, leading_number(ltrim(t, '"')));

-- Whole months between two moments, towards zero.
create macro _months(a, b) as (year(b) - year(a)) * 12 + month(b) - month(a);
create macro _in_month(m) as epoch_us(m) - epoch_us(date_trunc('month', m));
create macro whole_months(a, b) as case
    when b >= a then _months(a, b) - if(_in_month(b) < _in_month(a), 1, 0)
    else -(_months(b, a) - if(_in_month(a) < _in_month(b), 1, 0))
end;
create macro ordinal(n) as cast(n as varchar) || case
    when n % 100 in (11, 12, 13) then 'th'
    when n % 10 = 1 then 'st' when n % 10 = 2 then 'nd' when n % 10 = 3 then 'rd' else 'th'
end;
create macro quoted_text(t) as coalesce('''' || replace(replace(t, '\', '\\'), '''', '\''') || '''', 'NULL');
create macro inserted(t, start, n, other) as case
    when start < 1 or start > len(t) then if(n is null or other is null, null, t)
    when n < 0 or start + n > len(t) then left(t, start - 1) || other
    else left(t, start - 1) || other || substring(t, start + n)
end;
create macro first_byte(t) as if(t = '', 0, cast('0x' || left(hex(encode(t)), 2) as bigint));
create macro first_letter(t) as if(t = '', 0, cast('0x' || hex(encode(left(t, 1))) as bigint));
create macro in_base64(b) as rtrim(
    regexp_replace(to_base64(b), '(.{76})', '\1' || chr(10), 'g'), chr(10));
create macro _of_base64(t) as if(
    regexp_full_match(t, '([A-Za-z0-9+/]{4})*([A-Za-z0-9+/]{2}==|[A-Za-z0-9+/]{3}=)?'),
    from_base64(t), null);
create macro of_base64(t) as _of_base64(regexp_replace(t, '\s', '', 'g'));
-- The texts of DISTINCT values: `l` holds a key and a text of each, in the order of the keys.
create macro distinct_texts(l) as list_transform(
    list_filter(l, lambda x, i: i = 1 or x.k is distinct from l[i - 1].k), lambda x: x.v
);
-- The whole letters of a text's first bytes.
create macro _continues(t, i) as hex(encode(t)[i:i]) between '80' and 'BF';
create macro first_bytes(t, n) as if(strlen(t) <= n, t, decode(encode(t)[1:n - case
    when not _continues(t, n + 1) then 0 when not _continues(t, n) then 1
    when not _continues(t, n - 1) then 2 else 3
end]));
