package main

// benchCmd measures servers. Its commands are in the files bench_*.go.
type benchCmd struct {
	Run      benchRunCmd      `cmd:"" help:"Put load on a POP3 server of this machine, check its replies, and say how fast it was."`
	Canned   benchCannedCmd   `cmd:"" help:"Serve a maildrop from memory, as fast as that goes: what a server costs beyond this is its own."`
	Delay    benchDelayCmd    `cmd:"" help:"Pass connections on, each octet half a round trip later."`
	Maildirs benchMaildirsCmd `cmd:"" help:"Make Maildirs to measure with, the same ones each time."`
}

// Help is what --help adds.
func (*benchCmd) Help() string {
	return `docs/bench.md has examples, and says what the figures mean.`
}
