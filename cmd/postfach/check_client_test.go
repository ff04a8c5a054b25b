//go:build unix

package main

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"postfach/pop3check"
	"postfach/pop3client"
	"postfach/pop3test"
)

// asClient makes this test binary a client: TestBeAClient runs in it, as a
// program would.
const asClient = "POSTFACH_TEST_CLIENT"

func clientCommand(t *testing.T, kind string) string {
	t.Helper()
	self, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	return fmt.Sprintf("%s=%s exec '%s' -test.run='^TestBeAClient$'", asClient, kind, self)
}

// TestBeAClient is no test: it is the client of the others here.
func TestBeAClient(*testing.T) {
	env := os.Getenv
	switch env(asClient) {
	case "good":
		port, scheme, args := env("POSTFACH_PORT"), "pop3", []string{"get", "--delete", "--to", "dir:" + env("POSTFACH_OUT"), "--cafile", env("POSTFACH_CAFILE")}
		switch env("POSTFACH_SECURITY") {
		case "tls":
			port, scheme = env("POSTFACH_TLS_PORT"), "pop3s"
		case "stls":
			args = append(args, "--stls")
		}
		os.Exit(run(append(args, scheme+"://"+env("POSTFACH_USER")+"@"+env("POSTFACH_HOST")+":"+port)))
	case "careless": // sends its password, whatever it was told
		conn, err := net.Dial("tcp", "localhost:"+env("POSTFACH_PORT"))
		if err != nil {
			os.Exit(exitConnect)
		}
		for _, line := range []string{"", "USER " + env("POSTFACH_USER"), "PASS " + env("POSTFACH_PASSWORD"), "QUIT"} {
			if line != "" {
				fmt.Fprintf(conn, "%s\n", line)
			}
			conn.Read(make([]byte, 512))
		}
		os.Exit(0)
	}
}

// clientReport runs the command and returns the JUnit report and its error.
func clientReport(t *testing.T, c *checkCmd) (report string, err error) {
	t.Helper()
	c.Client, c.Nagios = true, true
	c.JUnit = filepath.Join(t.TempDir(), "report.xml")
	if c.Timeout == 0 {
		c.Timeout = 20 * time.Second
	}
	err = c.client(t.Context())
	octets, _ := os.ReadFile(c.JUnit) // there is none after an error
	return string(octets), err
}

func TestCheckClientFindsNothingInOurClient(t *testing.T) {
	t.Parallel()
	report, err := clientReport(t, &checkCmd{Run_: clientCommand(t, "good"), Scenario: []string{"good", "good-stls", "wrong-name", "dots", "body-cut"}})
	if err != nil || !strings.Contains(report, "P3-MLT-03") {
		t.Errorf("%v\n%s", err, report)
	}
}

func TestCheckClientFindsWhatACarelessClientDoes(t *testing.T) {
	t.Parallel()
	report, err := clientReport(t, &checkCmd{Run_: clientCommand(t, "careless"), Scenario: []string{"stls-stripped"}})
	if code(err) != exitFindings {
		t.Errorf("%v", err)
	}
	for _, want := range []string{"P3-TLS-11", "P3-SYN-01", "USER user in clear"} {
		if !strings.Contains(report, want) {
			t.Errorf("the report does not say %s\n%s", want, report)
		}
	}
	if sc := pop3test.Scenarios()[0]; strings.Contains(report, sc.Password) {
		t.Error("the report has the password")
	}
}

func code(err error) int {
	var exit *exitError
	switch {
	case errors.As(err, &exit):
		return exit.code
	case err != nil:
		return exitFailed
	}
	return 0
}

func TestCheckClientThatNeverConnects(t *testing.T) {
	t.Parallel()
	_, err := clientReport(t, &checkCmd{Run_: "true", Scenario: []string{"good"}})
	if code(err) != exitUnreachable {
		t.Errorf("%v", err)
	}
}

func TestCheckClientDoesNotKnowTheScenario(t *testing.T) {
	t.Parallel()
	_, err := clientReport(t, &checkCmd{Run_: "true", Scenario: []string{"good", "nonsense"}})
	if code(err) != exitUsage || !strings.Contains(err.Error(), `"nonsense"`) {
		t.Errorf("%v", err)
	}
}

// A command that does not end is ended, with all that it started.
func TestCheckClientEndsWhatDoesNotEnd(t *testing.T) {
	t.Parallel()
	began := time.Now()
	_, err := clientReport(t, &checkCmd{Run_: "sleep 1000 | sleep 1000", Scenario: []string{"good"}, Timeout: 100 * time.Millisecond})
	if code(err) != exitUnreachable || time.Since(began) > time.Minute {
		t.Errorf("%v after %v", err, time.Since(began))
	}
}

// Without --run it waits for the client of a person, one scenario after the
// other.
func TestCheckClientWaitsForPeople(t *testing.T) {
	t.Parallel()
	srv := pop3test.NewServer(t)
	said, say := io.Pipe()
	b := &clientBench{c: &checkCmd{Cleartext: true, Sessions: 2}, srv: srv, say: say}
	var scenarios []pop3test.Scenario
	for _, name := range []string{"bare-replies", "stat-text", "list-text"} {
		s, _ := pop3test.ScenarioNamed(name)
		scenarios = append(scenarios, s)
	}
	var seenScenarios []string
	visits := make(chan error, 1)
	go func() {
		var err error
		for lines := bufio.NewScanner(said); lines.Scan(); {
			if rest, ok := strings.CutPrefix(lines.Text(), "scenario "); ok {
				seenScenarios = append(seenScenarios, rest)
				err = errors.Join(err, visit(t.Context(), srv, scenarios[0]))
			}
		}
		visits <- err
	}()
	results, err := b.judge(t.Context(), scenarios)
	if err != nil {
		t.Fatal(err)
	}
	say.Close()
	if err := <-visits; err != nil {
		t.Error(err)
	}
	seen := false
	for _, r := range results {
		seen = seen || r.ID == "P3-SYN-01" && r.Status == pop3check.Pass
	}
	if !seen || len(seenScenarios) != 2 || !strings.HasPrefix(seenScenarios[1], "2 of 3: stat-text") {
		t.Errorf("%q", seenScenarios)
	}
}

// visit logs in and leaves.
func visit(ctx context.Context, srv *pop3test.Server, sc pop3test.Scenario) error {
	c, err := pop3client.Dial(ctx, srv.Addr, &pop3client.Options{Security: pop3client.Cleartext})
	if err != nil {
		return err
	}
	defer c.Close()
	if err := c.Login(ctx, sc.User, sc.Password); err != nil {
		return err
	}
	return c.Quit(ctx)
}
