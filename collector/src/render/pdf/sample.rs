//! TEMPORARY sample
use crate::render::document::*; use crate::render::chart::{Chart, Limit, Point}; use crate::render::timeline::{Bar, Day, Timeline};
use crate::render::strip::{Kind, Piece};
use rules::agreement::Language;
pub(crate) fn sample(language: Language, rows: usize, name: &str) -> Document {
    let ko = language == Language::Korean;
    let table = Table {
        title: (if ko { "장애" } else { "Outages" }).into(),
        columns: vec![
            Column { head: if ko {"시작"} else {"Began"}, kind: ColumnKind::Instant }, Column { head: if ko {"종료"} else {"Ended"}, kind: ColumnKind::Instant },
            Column { head: if ko {"길이"} else {"Length"}, kind: ColumnKind::Number }, Column { head: if ko {"최단 – 최장"} else {"Shortest – longest"}, kind: ColumnKind::Number },
            Column { head: if ko {"산입"} else {"Counted"}, kind: ColumnKind::Number }, Column { head: if ko {"원인"} else {"Causes"}, kind: ColumnKind::Prose } ],
        rows: (0..rows).map(|i| Row { tone: if i%7==3 {Tone::Weak} else {Tone::Plain}, cells: vec![
            format!("2026-10-{:02} 09:00:00.123", i%31+1), format!("2026-10-{:02} 09:31:00", i%31+1), "31 min 4.005 s".into(), "30 min 1 s – 31 min 30 s".into(), "31 min".into(),
            if i == 2 { name.into() } else { "timeout (seoul-1, tokyo-1): login, port".into() } ] }).collect(),
        empty: "None.", notes: vec!["Brackets: the true beginning lies between the last attempt that succeeded before and the first that failed. 응답이 없던 첫 시도부터 계산합니다.".into()] };
    let words = Table { title: (if ko {"목표별 결과"} else {"Objectives"}).into(), columns: vec![
        Column{head: if ko {"약속"} else {"Promise"}, kind: ColumnKind::Name}, Column{head: if ko {"기준"} else {"Limit"}, kind: ColumnKind::Number}, Column{head: if ko {"측정값"} else {"Measured"}, kind: ColumnKind::Number}, Column{head: if ko {"결과"} else {"Result"}, kind: ColumnKind::Word}],
        rows: vec![Row{tone: Tone::Good, cells: vec!["평균 복구 시간 (MTTR)".into(),"2 h".into(),"1 h 31 min".into(),"준수".into()]}, Row{tone: Tone::Bad, cells: vec!["로그인 페이지 응답 시간 login-page".into(),"3,000 ms".into(),"3,412.201 ms".into(),"미준수".into()]}],
        empty: "", notes: vec![] };
    let day = |d: usize| Day { label: (d+1).to_string(), cells: vec![Kind::Up; 24], bars: vec![(0,200,Kind::Up),(200,3,if d%9==4 {Kind::Outage} else {Kind::Up}),(203,100,if d%8==2 {Kind::Excluded} else if d%11==3 {Kind::Undetermined} else {Kind::Up}),(303,40,if d%6==1 {Kind::Short} else {Kind::Up}),(343,377,if d > 28 {Kind::Nothing} else {Kind::Up})].into_iter().map(|(column,columns,kind)| Bar{piece: Piece{column,columns,kind}, title: String::new()}).collect() };
    let timeline = Timeline { title: (if ko {"월간 시간대별 현황: apm-prod"} else {"The month, hour by hour: apm-prod"}).into(), summary: "3 outages, 31 min of downtime, 0 s undetermined.".into(), days: (0..31).map(day).collect(),
        legend: vec![(Kind::Up, "정상"),(Kind::Outage,"장애"),(Kind::Short,"단시간 중단 (산입하지 않음)"),(Kind::Excluded,"배제"),(Kind::Undetermined,"미확정"),(Kind::Nothing,"산정 제외 또는 미도래")], note: None };
    let chart = Chart { title: (if ko {"응답 시간: login"} else {"Latency: login"}).into(), summary: "Mean 674.36 ms over 89,280 results.".into(), top_us: 5_000_000,
        lines: vec![(0..300).map(|i| Point{x: i*200+67, us: 674_000 + u64::from(i*i*7919 % 900_000)}).collect(), vec![Point{x: 70_000, us: 900_000}], (370..499).map(|i| Point{x: i*200, us: 674_000 + u64::from(i*i*7919 % 900_000)}).collect()],
        limit: Some(Limit{us: 3_000_000, label: "login-page ≤ 3,000 ms".into()}), levels: vec![(0,"0 ms".into()),(2_500_000,"2,500 ms".into()),(5_000_000,"5,000 ms".into())], ticks: (0..31).map(|d| (d*100_000/31, if d%5==0 {(d+1).to_string()} else {String::new()})).collect() };
    Document { language, title: if ko {"서비스 수준 명세서"} else {"Service level statement"}, customer: name.into(), agreement: "acme-apm".into(), period: "2026-10".into(),
        state: Badge{tone: Tone::Weak, word: if ko {"잠정"} else {"provisional"}},
        first: vec![
            Block::Verdict(Verdict{tone: Tone::Bad, word: if ko {"목표 미달"} else {"Objective missed"}, sentences: vec![
                if ko {"가용률은 99.8312 %로, 약속한 99.9 %에 미치지 못합니다. 미확정 시간을 정상으로 보면 99.8312 %, 장애로 보면 99.7001 %입니다."} else {"Availability is 99.8312 %; 99.9 % was promised. Undetermined time counted up: 99.8312 %; counted down: 99.7001 %."}.into()]}),
            Block::Figures(vec![Figure{label: if ko {"가용률"} else {"Availability"}, value:"99.8312 %".into(), note: if ko {"목표 99.9 %".into()} else {"Objective 99.9 %".into()}},Figure{label: if ko {"장애 시간"} else {"Downtime"}, value: if ko {"1시간 15분 22초".into()} else {"1 h 15 min 22 s".into()}, note:"allowed 44 min 38.4 s".into()},Figure{label: if ko {"할인"} else {"Credit"}, value:"5 %".into(), note:"60,000 KRW".into()},Figure{label: if ko {"증거"} else {"Evidence"}, value:"99.97 %".into(), note: if ko {"2개 지점".into()} else {"2 vantages".into()}}]),
            Block::Facts(vec![Fact{label: if ko {"협약"} else {"Agreement"}, value:"acme-apm".into()},Fact{label:if ko {"정책"} else {"Policy"}, value:"cloud-apm".into()},Fact{label:if ko {"대상 월"} else {"Period"}, value:"2026-10 (2026-10-01 00:00:00 – 2026-11-01 00:00:00)".into()},Fact{label:if ko {"시간대"} else {"Time zone"}, value:"Asia/Seoul".into()},Fact{label:if ko {"판"} else {"Version"}, value:"1".into()}]),
            Block::Sentence(Sentence{tone: Tone::Plain, text: "대상 월이 아직 끝나지 않았습니다.".into()}),
            Block::Table(words),
        ],
        sections: vec![
            Section{title: "apm-prod".into(), begins: Begins::WhereItFalls, blocks: vec![Block::Table(table), Block::Timeline(timeline), Block::Chart(chart), Block::Heading("할인 산정".into()),
                Block::List(vec!["99.0 % ≤ 99.8312 % < 99.7 %: 5 %".into(), "해당월 이용요금: 2026-10: 1,200,000 KRW.".into(), "서비스 가용률은 회사의 책임 있는 사유로 인하여 고객이 서비스를 이용하지 못한 시간을 제외한 비율을 말하며, 소수점 이하 넷째 자리까지 절사하여 표시합니다. The quick brown fox jumps over the lazy dog, and the statement says so in plain words.".into()]), Block::Code("SHA-256 0f1e2d3c4b5a69788796a5b4c3d2e1f00f1e2d3c4b5a69788796a5b4c3d2e1f0".into())]},
            Section{title: if ko {"산정 방법".into()} else {"Method".into()}, begins: Begins::WhereItFalls, blocks: vec![Block::List((0..14).map(|i| format!("{i}. 장애는 고객이 실행한 인스턴스 또는 태스크에 대한 모든 외부 연결 요청이 5분 이상 연속하여 실패한 경우를 말하며, 그 시작은 처음 실패한 시도의 시각입니다. An outage is a down stretch of at least 300,000 ms.")).collect())]},
        ] }
}
