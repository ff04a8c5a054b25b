package faults

// The packages that most tests are in.
const (
	server = "cmd/postfachd" // the real program
	tool   = "cmd/postfach"  // the other one
)

// List returns all faults, by promise.
func List() []Fault {
	return []Fault{
		{1, "UPDATE after any end of a session", server, "TestOnlyACompleteQUITDeletes", []Edit{{
			"pop3server/session.go",
			"	if err := s.run(ctx, pop3.Transaction); err != nil {\n		return err\n",
			"	if err := s.run(ctx, pop3.Transaction); err != nil {\n		s.update(ctx)\n		return err\n",
		}}},
		{1, "QUIT with an argument is obeyed", server, "TestOnlyACompleteQUITDeletes", []Edit{{
			"pop3server/command.go", `{transaction, "QUIT", "", 0, 0,`, `{transaction, "QUIT", "", 0, 1,`,
		}}},

		{2, "a refused removal is not told", server, "TestQUITSaysWhatRemains", []Edit{{
			"maildrop/maildir/update.go", "		case err != nil:\n			m.fail(err)\n", "		case err != nil:\n",
		}}},
		{2, "+OK before the removal", server, "TestKillRightAfterQUITIsOKBringsNothingBack", []Edit{{
			"pop3server/update.go",
			"	return s.box.drop.Update(context.WithoutCancel(ctx), marked)\n",
			"	drop := s.box.drop\n	go drop.Update(context.WithoutCancel(ctx), marked)\n	return nil\n",
		}}},
		{2, "synced before the removal", "maildrop/maildir", "TestStoreOnStrict/CrashClones", []Edit{{
			"maildrop/maildir/update.go",
			"	u.err = u.remove(ctx)\n	u.sync() //",
			"	u.sync()\n	u.err = u.remove(ctx) //",
		}}},

		{3, "UPDATE removes one too many", server, "TestKilledAgainAndAgain", []Edit{{
			"pop3server/box.go", "		if b.mark[i] {\n			ids", "		if b.mark[i] || i > 0 && b.mark[i-1] && i%7 == 0 {\n			ids",
		}}},
		{3, "linked before it is synced", "maildrop/maildir", "TestStoreOnStrict/CrashClones", []Edit{{
			"maildrop/maildir/deliver.go",
			"	if err == nil {\n		err = f.Sync()\n	}\n",
			"	if err == nil {\n		err = in.tmp.Link(base, in.fresh, base)\n	}\n	if err == nil {\n		err = f.Sync()\n	}\n",
		}}},

		{3, "an index from before a crash is trusted", "maildrop/maildir", "TestIndexFromBeforeACrash", []Edit{{
			"maildrop/maildir/index.go", "	x.whole = whole && sameBoot\n", "	x.whole = whole && (sameBoot || true)\n",
		}}},

		{4, "the unique-id moves with flags", server, "TestUniqueIDsAreForEver", []Edit{{
			"maildrop/maildir/name.go", "		return id\n	}\n	return hashID(n.base())\n", "		return id\n	}\n	return hashID(n.whole)\n",
		}}},
		{4, "unique-ids are not checked", server, "TestUniqueIDsAreForEver", []Edit{{
			"maildrop/maildir/name.go", "pop3.UniqueID(n.base()); id.Valid() {", "pop3.UniqueID(n.base()); len(id) > 0 {",
		}}},
		{4, "unique-ids of one session", server, "TestKillRightAfterUIDLChangesNoID", []Edit{
			{"maildrop/maildir/identify.go", `fmt.Sprintf("%d %d %s", e.file.mtime, e.file.id.Inode, e.base())`, "fmt.Sprint(new(Store).newBase())"},
			{"maildrop/maildir/open.go", "	named := d.nameTwins(found.entries)\n", "	named := false\n"},
		}},

		{5, "whatever has the name now is served", server, "TestSessionIsFixedAtLogin", []Edit{{
			"maildrop/maildir/content.go", "	return fs.ErrNotExist\n}\n\n// whyNot", "	return nil\n}\n\n// whyNot",
		}}},
		{5, "a stranger with the name is removed", server, "TestSessionIsFixedAtLogin", []Edit{{
			"maildrop/maildir/update.go", "	if i, ok := d.seen.find(id); ok && d.files[i].same(&e.file) {\n", "	if _, ok := d.seen.find(id); ok {\n",
		}}},

		{5, "a snapshot of a folder that has just changed is trusted", "maildrop/maildir", "TestNoChangeHidesInATick", []Edit{{
			"maildrop/maildir/scan.go", "r.settled && !found.doubt && r.timed()", "!found.doubt && r.timed()",
		}}},
		{5, "times that programs can set are trusted", "maildrop/maildir", "TestTimeThatIsSetBack", []Edit{{
			"maildrop/maildir/folders.go", "info.ChangeTime, info.ChangeTime.UnixNano()\n", "info.ModTime, 1\n",
		}}},

		{6, "a body that is cut off gets its end", server, "TestMessageThatChangesIsCutOff", []Edit{
			{"pop3server/retr.go", "	if !errors.Is(err, io.EOF) {\n		return 0, err\n	}\n", ""},
			{"pop3server/retr.go", "	if err == nil && size != m.Size {\n", "	if err == nil && size < 0 {\n"},
		}},
		{6, "dots are not stuffed", server, "TestEveryMessageGoesOutAsItIs", []Edit{{
			"internal/popwire/data.go", "if !inLine && line[0] == '.' {", "if !inLine && line[0] == '.' && len(p) > 1000 {",
		}}},

		{7, "anything is a message", server, "TestOddFilesBlockNobody", []Edit{{
			"maildrop/maildir/scan.go", "	case !mode.IsRegular():\n		l.others = append(l.others, p)\n		return false, nil\n", "",
		}}},
		{7, "a hint that lies is always believed", server, "TestOddFilesBlockNobody", []Edit{{
			"maildrop/maildir/size.go", "	return hint, hint >= 0 && e.known() && !z.lie(e, hint)\n", "	_, hint = e.name().hints()\n	return hint, hint >= e.file.length && hint <= 2*e.file.length+2\n",
		}}},

		{7, "a file that nobody could examine is any file", "maildrop/maildir", "TestFileThatCouldNotBeExaminedIsNotAnyFile", []Edit{
			{"maildrop/maildir/content.go", "	if want.id == (vfs.FileID{}) { // whatever is there now, nobody knows what was\n		return", "	if want.id == (vfs.FileID{}) && d.lock == nil {\n		return"},
			{"maildrop/maildir/content.go", "	case f.is(info):\n", "	case f.id == vfs.FileID{}, f.is(info):\n"},
		}},
		{7, "links in the place of a folder are followed", server, "TestLinkThatComesInASessionIsNotFollowed", []Edit{
			{"internal/vfs/folder_linux.go", " | unix.RESOLVE_NO_SYMLINKS", ""},
		}},
		{7, "a delivery finds new/ by its path", "maildrop/maildir", "TestNothingIsDeliveredThroughALink", []Edit{{
			"maildrop/maildir/incoming.go", "home.OpenFolder(newFolder)", "s.fs().OpenFolder(filepath.Join(root, newFolder))",
		}}},

		{7, "a snapshot is never doubted", "maildrop/maildir", "TestChangeInPlaceHeals", []Edit{{
			"maildrop/maildir/open.go", "	if d.doubt {\n		return\n", "	if !d.doubt {\n		return\n",
		}}},

		{8, "the lock is a file, which kill -9 leaves", server, "TestNoLockOutlivesItsSession", []Edit{
			{
				"maildrop/maildir/lock.go", "	lock, err := s.fs().Lock(root)\n",
				"	if f, err := s.fs().Create(root+\"/.lock\", 0o600); err == nil {\n		f.Close()\n	} else {\n		return nil, vfs.ErrLocked\n	}\n	lock, err := s.fs().Lock(root)\n",
			},
			{"maildrop/maildir/open.go", "	err := d.lock.Close()\n", "	d.store.fs().Remove(d.root + \"/.lock\")\n	err := d.lock.Close()\n"},
		}},
		{8, "only QUIT unlocks", server, "TestPanicEndsOneSession", []Edit{
			{"pop3server/session.go", "			s.unlock(unlockPatience)\n", ""},
			{"pop3server/goroutine.go", "	s.unlock(unlockPatience)\n", ""},
			{"pop3server/goroutine.go", "s.unlock(noHurry); ", ""},
		}},

		{9, "octets behind STLS are dropped without a word", server, "TestNothingSaidBeforeTLSIsUsed", []Edit{{
			"pop3server/stls.go", "	if s.r.Buffered() > 0 {", "	if s.r.Buffered() < 0 {",
		}}},
		{9, "the name from before TLS is kept", server, "TestNothingSaidBeforeTLSIsUsed", []Edit{
			{"pop3server/stls.go", `	s.name, s.timestamp, s.lang = "", "", s.srv.language`, `	s.timestamp, s.lang = "", s.srv.language`},
			{"pop3server/command.go", `	if c.Keyword != "PASS" && c.Keyword != "CAPA" {`, `	if c.Keyword != "PASS" && c.Keyword != "CAPA" && c.Keyword != "STLS" {`},
		}},
		{9, "the client takes octets behind +OK", tool, "TestNoPasswordWithoutTLS", []Edit{{
			"pop3client/stls.go", "	if c.r.Buffered() > 0 {", "	if c.r.Buffered() < 0 {",
		}}},

		{10, "the server takes passwords in clear", server, "TestClientsBehindAProxyAreNotThisMachine", []Edit{{
			"pop3server/session.go", "	return s.tls != nil || s.srv.AllowCleartext ||\n", "	return true || s.tls != nil || s.srv.AllowCleartext ||\n",
		}}},
		{10, "the client goes on without STLS", tool, "TestNoPasswordWithoutTLS", []Edit{{
			"pop3client/stls.go", "		return ErrNoSTLS\n", "		return nil\n",
		}}},
		{10, "the client goes on when STLS is refused", tool, "TestNoPasswordWithoutTLS", []Edit{{
			"pop3client/stls.go", "	if _, err := c.command(ctx, \"STLS\"); err != nil {\n		return err\n", "	if _, err := c.command(ctx, \"STLS\"); err != nil {\n		return nil\n",
		}}},
		{10, "credentials are written in clear", "pop3client", "TestCleartext", []Edit{{
			"pop3client/cleartext.go", "	return ErrCleartext\n}\n\n// takesToken", "	return nil\n}\n\n// takesToken",
		}}},
		{10, "tokens are written in clear to this machine", "pop3client", "TestTokensNeedTLS", []Edit{{
			"internal/popwire/cleartext.go", "w.Local && !token", "w.Local",
		}}},
		{10, "the shell writes tokens in clear", "internal/shell", "TestTokensAreForTLS", []Edit{{
			"internal/shell/credentials.go", "MayCarry(sasl.TakesToken(mechanism))", "MayCarry(false && sasl.TakesToken(mechanism))",
		}}},
		{10, "+OK counts without SCRAM's proof", "pop3client", "TestServersThatCannotBeTrusted", []Edit{{
			"pop3client/auth.go", "ok && !m.Finished() {", "ok && !m.Finished() && false {",
		}}},
		{10, "a pin is ignored", "internal/remotes", "TestPinTrustsOneCertificate", []Edit{{
			"internal/remotes/pin.go", "subtle.ConstantTimeCompare(shown, p) != 1 {", "subtle.ConstantTimeCompare(shown, p) > 1 {",
		}}},

		{11, "ciphers without AEAD", server, "TestOnlyGoodTLSIsSpoken", []Edit{{
			"pop3server/stls.go", "	if c.CipherSuites == nil {\n", "	if c.CipherSuites == nil && c.ServerName != \"\" {\n",
		}}},
		{11, "no ALPN", server, "TestOnlyGoodTLSIsSpoken", []Edit{{
			"pop3server/stls.go", "	c.NextProtos = []string{pop3.ALPN}\n", "	c.NextProtos = nil\n	_ = pop3.ALPN\n",
		}}},
		{11, "TLS 1.0", server, "TestOnlyGoodTLSIsSpoken", []Edit{
			{"pop3server/stls.go", "	c.MinVersion = max(c.MinVersion, tls.VersionTLS12)\n", "	c.MinVersion = tls.VersionTLS10\n"},
			{"pop3server/stls.go", "	if c.CipherSuites == nil {\n", "	if c.CipherSuites == nil && c.ServerName != \"\" {\n"}, // none of these is for it
		}},

		{12, "no work for a name that does not exist", server, "TestRefusalsLookAlike", []Edit{{
			"internal/accounts/directory.go",
			"		if _, err := d.check(ctx, decoy, password); err != nil {\n			return pop3server.Identity{}, err\n		}\n",
			"		_ = decoy\n",
		}}},
		{12, "salts of nobody change with a restart", server, "TestFakeSaltsOutliveARestart", []Edit{{
			"cmd/postfachd/accounts.go", "accounts.MakeKey(nil, d.folder.DecoyKey()); err", "accounts.NewKey(), nil; err",
		}}},

		{13, "no rest after a failure", server, "TestGuessesSlowTheirOwnAddress", []Edit{{
			"pop3server/guard_try.go", "	s.next = now + pause\n", "	s.next = now + 0*pause\n",
		}}},
		{13, "an account rests, and not an address", server, "TestGuessesSlowTheirOwnAddress", []Edit{
			{"pop3server/guard_try.go", "		return own\n	}\n	return g.hash(hashed{network: network})\n", "		return own\n	}\n	return g.hash(hashed{name: name})\n"},
		}},

		{14, "passwords are logged", server, "TestHostileTextIsQuotedInTheLog", []Edit{{
			"pop3server/guard_turn.go",
			"	s.r.Forget() // others may have to wait long with theirs\n",
			"	s.r.Forget()\n	s.log.Info(\"try\", \"with\", secret)\n",
		}}},
		{14, "what the client says stands before what we say", server, "TestFail2banReadsTheRealLog", []Edit{{
			"pop3server/guard_turn.go",
			`"login failed", slices.Concat([]any{"mechanism", how, "name", loggable(name)}`,
			`"login failed", slices.Concat([]any{"name", loggable(name), "mechanism", how}`,
		}}},
		{14, "a panic in every log", server, "TestSIGTERMDeletesNothing", []Edit{{
			"pop3server/log.go", "func (s *session) logEnd(end error, took time.Duration) {\n", "func (s *session) logEnd(end error, took time.Duration) {\n	defer panic(\"the last line\")\n",
		}}},

		{15, "a long line is kept", "pop3server", "TestMemoryIsBounded/long_line", []Edit{{
			"internal/popwire/line.go", "			if total <= limit {\n				r.keep(frag, limit)\n", "			if total <= limit<<10 {\n				r.keep(frag, limit<<10)\n",
		}}},
		{15, "a large buffer for everybody", server, "TestStormIsNotNoticed", []Edit{{
			"pop3server/buffers.go", "	readBuffer = 1 << 10 ", "	readBuffer = 1 << 18 ",
		}}},

		{16, "each command begins the time before the login anew", server, "TestDrippingClientsAreCutOff", []Edit{
			{"pop3server/session.go", "	if s.state != pop3.Transaction { // it is", "	s.raw.SetDeadline(time.Now().Add(s.srv.limits.Login))\n	if s.state != pop3.Transaction { // it is"},
		}},
		{16, "a handshake may take for ever", server, "TestDrippingClientsAreCutOff", []Edit{{
			"pop3server/stls.go", "	s.raw.SetDeadline(s.loginBy)\n", "	s.raw.SetDeadline(s.loginBy.AddDate(1, 0, 0))\n",
		}}},
		{16, "nobody makes room", server, "TestSilentConnectionsMakeRoom", []Edit{{
			"pop3server/guard_place.go", "		if out = g.evict(&g.strangers, limitAll); out == nil {\n			p.left = true\n", "		if out == nil {\n			p.left = true\n",
		}}},

		{17, "strangers keep their descriptors", server, "TestFewDescriptors", []Edit{{
			"pop3server/accept.go", "	evicted := noDescriptors(err) && s.guard.relieve()\n", "	evicted := noDescriptors(err) && false\n",
		}}},
		{17, "a failed delivery leaves its part", server, "TestFullDisk", []Edit{{
			"maildrop/maildir/deliver.go", "	if err != nil {\n		in.tmp.Remove(base)\n", "	if err != nil {\n",
		}}},
		{17, "another folder is taken for the one that was opened", server, "TestMaildirIsMovedAwayInASession", []Edit{
			{"maildrop/maildir/lock.go", "	if info.ID != id {\n", "	if info.ID != id && false {\n"},
			{"maildrop/maildir/read.go", "		if before.id != d.folders[i] {\n", "		if before.id != d.folders[i] && false {\n"},
		}},
		{17, "calls of the store are not counted", "pop3server", "TestBlockedStoreTakesFewThreads", []Edit{{
			"pop3server/guard_calls.go", "	if c.inside < most && c.queue.Len() == 0 {\n", "	if true {\n",
		}}},
		{17, "mail bounces while its disk is away", tool, "TestNoMailBouncesWhileADiskIsAway", []Edit{{
			"cmd/postfach/deliver.go", "away != nil {\n", "away != nil && false {\n",
		}}},
		{17, "messages that wait keep the descriptors", "fetch", "TestFewDescriptorsAreEnough", []Edit{{
			"fetch/fetch.go", "			b.lack()\n", "			b.hurry()\n",
		}}},
		{17, "a thread for each message of a batch", "fetch/deliver", "TestSyncsTakeFewThreads", []Edit{{
			"fetch/deliver/commit.go", "	for range min(len(batch), syncs) - 1 {\n", "	for range len(batch) - 1 {\n",
		}}},

		{18, "a panic ends the process", server, "TestPanicEndsOneSession", []Edit{{
			"pop3server/goroutine.go", "		if p := recover(); p != nil {\n			s.srv.guard.count(", "		if p := any(nil); p != nil {\n			s.srv.guard.count(",
		}}},
		{18, "a panic is not logged", server, "TestPanicEndsOneSession", []Edit{{
			"pop3server/goroutine.go", "			s.log().Error(\"panic\", \"value\", p, \"stack\", string(debug.Stack()))\n", "			_ = debug.Stack\n",
		}}},

		{19, "root serves", server, "TestRootIsGivenUp", []Edit{
			{"internal/datafolder/make.go", "	if !privilege.Root() {\n		return nil\n	}\n	uid, gid, err", "	if privilege.Root() {\n		return nil\n	}\n	uid, gid, err"},
			{"internal/confine/harden_linux.go", "	err := errors.Join(privilege.DropCapabilities(), ", "	_ = privilege.DropCapabilities\n	err := errors.Join("}, // without them root could not use the folder
		}},
		{19, "the log says what was asked for, and not what is in force", server, "TestWhatIsInForceIsLogged", []Edit{{
			"internal/confine/harden_linux.go", "noNewPrivileges(), noCore(), notDumpable())", "notDumpable())",
		}}},

		{20, "SIGTERM cuts off at once", server, "TestSIGTERMInRETRFinishesTheReply", []Edit{{
			"pop3server/lifecycle.go", "		sess.raw.SetReadDeadline(time.Unix(1, 0))\n", "		sess.raw.Close()\n",
		}}},
		{20, "a bad certificate takes the old one away", server, "TestSIGHUPWithABadCertificateDisturbsNobody", []Edit{{
			"internal/certificates/certificates.go",
			"	fresh, err := s.read(f, time.Now())\n	if err != nil {\n",
			"	fresh, err := s.read(f, time.Now())\n	if err != nil {\n		s.current.Store(new(generation))\n",
		}}},
		{20, "a reload ends sessions", server, "TestSIGHUPWithABadCertificateDisturbsNobody", []Edit{{
			"cmd/postfachd/reload.go", "	d.cfg, d.accounts = cfg, who\n	d.start()\n", "	d.cfg, d.accounts = cfg, who\n	for _, s := range d.serving {\n		s.server.Close()\n	}\n	d.start()\n",
		}}},

		{21, "numbers wrap at 32 bits", server, "TestWhatIsNotACommandHasNoEffect", []Edit{{
			"internal/popwire/command.go", "	if !ok || len(s) > 10 || v > 1<<31-1 {\n", "	v = int64(uint32(v))\n	if !ok {\n",
		}}},
		{21, "a NUL ends the line", server, "TestWhatIsNotACommandHasNoEffect", []Edit{{
			"internal/popwire/command.go",
			"	keyword, args, hasArgs := bytes.Cut(line, []byte{' '})\n",
			"	line, _, _ = bytes.Cut(line, []byte{0})\n	keyword, args, hasArgs := bytes.Cut(line, []byte{' '})\n",
		}}},
		{21, "the tail of a long line is a command", server, "TestTailOfALongLineIsNoCommand", []Edit{{
			"internal/popwire/line.go", "			if r.GiveUp {\n", "			if true {\n",
		}}},

		{22, "DELE before the mail is synced", "fetch", "TestNoDELEBeforeTheMailIsDurable", []Edit{{
			"fetch/deliver/commit.go", "			errs[i] = batch[i].file.Sync()\n", "			errs[i] = nil\n",
		}}},
		{22, "one sync for a batch of files", "fetch", "TestNoDELEBeforeTheMailIsDurable", []Edit{{
			"fetch/deliver/commit.go",
			"			errs[i] = batch[i].file.Sync()\n", "			if i == 0 {\n				errs[i] = batch[i].file.Sync()\n			}\n",
		}}},
		{22, "DELE before the folder is synced", "fetch", "TestNoDELEBeforeTheMailIsDurable", []Edit{{
			"fetch/deliver/commit.go", "	if err := to.Sync(); err != nil {\n", "	if err := error(nil); err != nil {\n",
		}}},
		{22, "fetched is said before the mail is durable", "fetch", "TestFetchedMeansDurable", []Edit{{
			"fetch/batch.go", "			done(batch, b.commit(batch))\n", "			done(batch, make([]error, len(batch)))\n			b.commit(batch)\n",
		}}},
		{22, "QUIT where it takes what failed", "fetch", "TestNoQUITWhereExpire0TakesWhatFailed", []Edit{{
			"fetch/fetch.go", "	if r.err != nil && c.Expires0() {\n", "	if false && c.Expires0() {\n",
		}}},
		{22, "what came before is fetched again", tool, "TestKilledGetLosesAndDoublesNothing", []Edit{
			{"fetch/plan.go", "		return have.Announced == m.announced || m.announced < 0\n", "		return false && have.Announced == m.announced\n"},
			{"fetch/fetch.go", "	return had >= seen\n", "	return false && had >= seen\n"},
		}},
	}
}
