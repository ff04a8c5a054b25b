package main

// userCmd keeps the accounts of a data folder, or of a configuration. Changes hold at once, while a
// server runs.
type userCmd struct {
	Add    userAddCmd    `cmd:"" help:"Make an account and its Maildir."`
	Passwd userPasswdCmd `cmd:"" help:"Change an account's password."`
	App    userAppCmd    `cmd:"" help:"Give an account passwords for single programs, or take them away."`
	Main   userMainCmd   `cmd:"" help:"Say whether an account's own password lets somebody in, or only app passwords do."`
	Cert   userCertCmd   `cmd:"" help:"Say which client certificates are an account's."`
	Apop   userAPOPCmd   `cmd:"" help:"Give an account a secret for APOP, or take it away."`
	List   userListCmd   `cmd:"" help:"List the accounts."`
	Remove userRemoveCmd `cmd:"" help:"Remove an account. Its mail stays."`
	Mkdir  userMkdirCmd  `cmd:"" help:"Make the Maildir of an account that came without one."`
}
