package checkreport

import (
	"bytes"
	"encoding/json"
	"encoding/xml"
	"strings"
	"testing"
	"time"

	"postfach/pop3check"
)

func results() []pop3check.Result {
	rule := func(id, level string) pop3check.Requirement {
		return pop3check.Requirement{ID: id, Level: level, Role: "server", Source: "RFC 1939 §7", Rule: "The rule <b> of " + id + "."}
	}
	return []pop3check.Result{
		{Requirement: rule("P3-TOP-01", "MUST"), Status: pop3check.Pass, Trace: []string{"C: TOP 1 1", "S: +OK"}},
		{Requirement: rule("P3-TOP-03", "MUST"), Status: pop3check.Fail, Want: "the header", Got: "<script>", Trace: []string{"C: TOP 1 0", `S: \x1b`}},
		{Requirement: rule("P3-TOP-10", "PRACTICE"), Status: pop3check.Fail, Want: "a line", Got: "none"},
		{Requirement: rule("P3-UIDL-01", "MUST"), Status: pop3check.Skip, Got: "needs an account"},
		{Requirement: rule("P3-UIDL-02", "MUST"), Status: pop3check.Skip, Got: "needs an account"},
	}
}

func header() Header {
	return Header{Subject: "localhost:110 <in clear>", Time: time.Date(2026, 11, 22, 12, 0, 0, 0, time.UTC)}
}

func TestTextSaysWhatABugReportNeeds(t *testing.T) {
	t.Parallel()
	var b bytes.Buffer
	Text(&b, header(), results())
	for _, want := range []string{
		"pass  P3-TOP-01", "want  the header", "got   <script>", "C: TOP 1 0", "(RFC 1939 §7)",
		"not checked: needs an account\n             P3-UIDL-01 P3-UIDL-02\n",
		"finding:     P3-TOP-03", "1 finding (MUST, SHOULD), 1 departure from good practice; 1 check passed, 2 not made",
	} {
		if !strings.Contains(b.String(), want) {
			t.Errorf("text lacks %q:\n%s", want, b.String())
		}
	}
	if strings.Contains(b.String(), "finding:     P3-TOP-10") {
		t.Error("good practice counts as a finding without strict")
	}
}

func TestJSONHasTheNamesThatScriptsRelyOn(t *testing.T) {
	t.Parallel()
	var b bytes.Buffer
	if err := JSON(&b, header(), results()); err != nil {
		t.Fatal(err)
	}
	var got struct {
		Results []map[string]any `json:"results"`
	}
	if err := json.Unmarshal(b.Bytes(), &got); err != nil {
		t.Fatal(err)
	}
	if len(got.Results) != 5 {
		t.Fatalf("%d results", len(got.Results))
	}
	for _, name := range []string{"id", "level", "status", "want", "got", "trace"} {
		if _, ok := got.Results[3][name]; !ok {
			t.Errorf("no %q", name)
		}
	}
	if got.Results[1]["status"] != "fail" || got.Results[3]["status"] != "skip" {
		t.Error(got.Results)
	}
}

func TestJUnitCountsFindingsAsFailures(t *testing.T) {
	t.Parallel()
	var b bytes.Buffer
	if err := JUnit(&b, header(), append(results(), pop3check.Result{
		Requirement: pop3check.Requirement{ID: "P3-SYN-01", Level: "MUST"}, Status: pop3check.Fail, Got: "\x00\xff\x1b",
	})); err != nil {
		t.Fatal(err)
	}
	var got junitSuites
	if err := xml.Unmarshal(b.Bytes(), &got); err != nil {
		t.Fatalf("%v\n%s", err, b.String())
	}
	if got.Tests != 6 || got.Failures != 2 || got.Skipped != 3 || len(got.Suites) != 3 {
		t.Errorf("%d tests, %d failures, %d skipped, %d suites", got.Tests, got.Failures, got.Skipped, len(got.Suites))
	}
}

func TestHTMLEscapesWhatServersSay(t *testing.T) {
	t.Parallel()
	var b bytes.Buffer
	if err := HTML(&b, header(), results()); err != nil {
		t.Fatal(err)
	}
	page := b.String()
	if strings.Contains(page, "<script") || strings.Contains(page, "src=") || strings.Contains(page, "http") {
		t.Error("the page has or loads what it must not")
	}
	for _, want := range []string{"&lt;script&gt;", `id="P3-TOP-03"`, "localhost:110 &lt;in clear&gt;"} {
		if !strings.Contains(page, want) {
			t.Errorf("no %q", want)
		}
	}
}
