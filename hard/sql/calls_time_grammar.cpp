#include "hard/sql/grammars.hpp"

namespace northstar::hard {

// The rules of the grammar of calls that make dates, times, intervals and their formats.
const char* const k_calls_time_grammar = R"grammar(
date*2 date '20{10-25}-{10-12}-{10-28}'
date date '2000-01-01'
date date '2024-02-29'
date date '0001-01-01 BC'
date date 'infinity'
date date '-infinity'
date date '5874897-12-31'
date NULL::date
date date '19{10-99}-0{1-9}-1{0-9}'
date ({date} + {int})
date ({date} - {int})
date ({ts})::date
date ({tz})::date
date make_date({year}, {1-13}, {1-32})
date to_date({dateread})
date lower({drange})
date ({datetext})::date
year {1-2030}
year (-{1-50})
year {int}
datetext '20{10-25}{10-12}{10-28}'
datetext '{1-12}/{1-28}/{1-99}'
datetext 'January {1-31}, 20{10-25}'
datetext '20{10-25}-{1-366}'
datetext '{1-31} Feb 20{10-25}'
datetext '20{10-25} {1-53} {1-7}'
datetext '20{10-25}-{10-14}-{10-33}'
datetext '20{10-25}-{10-12}-{10-28} {10-25}:{10-59}:{10-61}'
datetext '{1-12}:{10-59} PM'
datetext '{1-9}:{10-59}:{10-59}.{1-999999}'
dateread '20{10-25}{10-12}{10-28}', 'YYYYMMDD'
dateread '{10-12}/{10-28}/{10-99}', 'MM/DD/YY'
dateread 'January {1-31}, 20{10-25}', 'Month DD, YYYY'
dateread '20{10-25}-{100-366}', 'YYYY-DDD'
dateread '{1-31} Feb 20{10-25}', 'DD Mon YYYY'
dateread '20{10-25} {10-53} {1-7}', 'IYYY IW ID'
dateread '20{10-25}-{10-14}-{10-33}', 'YYYY-MM-DD'
dateread '20{10-25}-{10-12}-{10-28} {10-25}:{10-59}:{10-61}', 'YYYY-MM-DD HH24:MI:SS'
dateread '20{10-25}-{10-12}-{10-28} {1-13}:{10-59} PM', 'YYYY-MM-DD HH:MI AM'
dateread '20{10-25}-{10-12}-{10-28} {10-25}:{10-59}:{10-59}.{1-999999}', 'YYYY-MM-DD HH24:MI:SS.US'
dateread '245{1000-9999}', 'J'
part year
part month
part day
part hour
part minute
part second
part millisecond
part microseconds
part decade
part century
part millennium
part dow
part doy
part isodow
part isoyear
part week
part quarter
part epoch
part julian
part timezone
part timezone_hour
partq 'year'
partq 'month'
partq 'day'
partq 'hour'
partq 'seconds'
partq 'milliseconds'
partq 'dow'
partq 'doy'
partq 'week'
partq 'quarter'
partq 'epoch'
partq 'century'
partq 'isoyear'
partq 'decade'
partq 'nonsense'
ts*2 timestamp '20{10-25}-{10-12}-{10-28} {10-23}:{10-59}:{10-59}'
ts timestamp '20{10-25}-0{1-9}-0{1-9} {10-23}:{10-59}:{10-59}.{1-999999}'
ts timestamp '2024-12-31 23:59:59.999999'
ts timestamp '1900-02-28 00:00:00'
ts timestamp '0044-03-15 12:00:00 BC'
ts timestamp 'infinity'
ts timestamp '-infinity'
ts NULL::timestamp
ts ({date})::timestamp
ts ({ts} + {iv})
ts ({ts} - {iv})
ts ({date} + {time})
ts ({ts})::timestamp({0-6})
ts date_trunc({partq}, {ts})
ts date_bin({iv}, {ts}, {ts})
ts ({tz} at time zone {zone})
ts to_timestamp({dateread})::timestamp
ts make_timestamp({year}, {1-12}, {1-28}, {0-24}, {0-60}, {0-60}.{0-9})
ts ({datetext})::timestamp
fts timestamp '20{10-25}-0{1-9}-{10-28} {10-23}:{10-59}:{10-59}'
fts timestamp '19{10-99}-{10-12}-0{1-9} 0{0-9}:{10-59}:00.{1-999}'
fts timestamp '2024-02-29 00:00:00'
ftz timestamptz '20{10-25}-{10-12}-{10-28} {10-23}:{10-59}:{10-59}+0{0-9}'
ftz timestamptz '2024-03-31 02:30:00 Europe/Paris'
zone 'UTC'
zone 'Europe/Berlin'
zone 'America/New_York'
zone 'Asia/Kolkata'
zone '+03'
zone 'EST'
zone 'Nowhere/None'
zone interval '-5 hours'
zone 'PST8PDT'
tz*2 timestamptz '20{10-25}-{10-12}-{10-28} {10-23}:{10-59}:{10-59}+0{0-9}'
tz timestamptz '20{10-25}-0{1-9}-0{1-9} {10-23}:{10-59}:{10-59} Europe/Berlin'
tz timestamptz '2024-03-31 02:30:00 Europe/Paris'
tz timestamptz '2024-11-03 01:30:00 America/New_York'
tz timestamptz 'infinity'
tz timestamptz 'epoch'
tz NULL::timestamptz
tz ({ts})::timestamptz
tz ({date})::timestamptz
tz ({ts} at time zone {zone})
tz ({tz} + {iv})
tz ({tz} - {iv})
tz date_trunc({partq}, {tz})
tz date_trunc({partq}, {tz}, 'Europe/Berlin')
tz to_timestamp({dbl})
tz to_timestamp({0-99999999}.{0-999})
tz to_timestamp({dateread})
tz make_timestamptz({year}, {1-12}, {1-28}, {0-23}, {0-59}, {0-59}.{0-9}, {zonename})
zonename 'UTC'
zonename 'Europe/Berlin'
zonename 'Asia/Tokyo'
zonename '+5'
time*2 time '{10-23}:{10-59}:{10-59}'
time time '0{0-9}:0{0-9}:00.{1-999999}'
time time '24:00:00'
time time '00:00:00'
time NULL::time
time ({time} + {iv})
time ({time} - {iv})
time ({ts})::time
time ({iv})::time
time ({time})::time({0-6})
time make_time({0-25}, {0-60}, {0-60}.{0-99})
time ({timetz})::time
time date_trunc({partq}, {time})::time
timetz timetz '{10-23}:{10-59}:{10-59}+0{0-9}'
timetz timetz '{10-23}:{10-59}-0{0-9}:30'
timetz ({time})::timetz
timetz ({tz})::timetz
timetz ({timetz} + {iv})
timetz ({timetz} at time zone {zone})
iv interval '{1-40} days'
iv interval '{1-40} months {1-40} days {1-40} hours'
iv interval '-{1-99} hours {1-99} minutes'
iv interval '{1-9}.{1-9} years'
iv interval '{1-9}.{1-999} seconds'
iv interval '1 year 2 mons -3 days 04:05:06.789'
iv interval '@ {1-9} weeks ago'
iv interval 'P{1-9}Y{1-9}M{1-9}DT{1-9}H'
iv interval '{1-9}-{1-11}'
iv interval '{1-9} {1-23}:{10-59}'
iv interval '{1-99}' {ivfield}
iv interval '{1-9} {1-9}:{10-59}:{10-59}' day to minute
iv interval '0'
iv NULL::interval
iv ({iv} + {iv})
iv ({iv} - {iv})
iv ({iv} * {factor})
iv ({iv} / {factor})
iv (- {iv})
iv ({ts} - {ts})
iv ({tz} - {tz})
iv ({time} - {time})
iv age({fts}, {fts})
iv age({ftz}, {ftz})
iv age({fts}::date, {fts}::date)
iv justify_days({iv})
iv justify_hours({iv})
iv justify_interval({iv})
iv make_interval({small0}, {small0}, {small0}, {small0}, {small0}, {small0}, {small0}.5)
iv make_interval(days => {small0}, secs => {small0}.25)
iv date_trunc({partq}, {iv})
iv ({time})::interval
iv ({iv})::interval({0-6})
iv ({iv})::interval {ivfield}
iv ('{digits}')::interval
small0 {0-20}
ivfield year
ivfield month
ivfield day
ivfield hour
ivfield minute
ivfield second
ivfield year to month
ivfield day to hour
ivfield hour to second
ivfield minute to second
factor {1-9}
factor {0-9}.{1-9}
factor (-{1-9})
factor 0
factor 0.{1-99}
factor {dbl}
ivfmt 'YYYY-MM-DD HH24:MI:SS.US'
ivfmt 'HH12:MI:SS'
ivfmt 'FMDDth FMHH24'
ivfmt 'SSSS MS US'
tsfmt 'YYYY-MM-DD HH24:MI:SS.US'
tsfmt 'Day DD Month YYYY'
tsfmt 'FMDay, FMDD FMMonth'
tsfmt 'DY Mon RM'
tsfmt 'HH12:MI:SS AM'
tsfmt 'IYYY-IW-ID'
tsfmt 'Q WW W DDD J CC'
tsfmt 'Y,YYY YY Y BC'
tsfmt 'SSSS MS US FF3'
tsfmt 'DDth FMDDTH'
tsfmt 'TZ OF TZH:TZM'
tsfmt '"text" YYYY\"'
tsfmt 'month MONTH rm'
tsfmt 'FMHH24:FMMI'
tsfmt 'D ID IDDD'
tsfmt 'TMDay TMMonth'
tsfmt 'HH24 ad a.m.'
)grammar";

}  // namespace northstar::hard
