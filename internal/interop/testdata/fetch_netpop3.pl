# Fetches a maildrop with Perl's Net::POP3: mode host port user cafile folder,
# the password on standard input. Messages go to files named by their numbers.
use strict;
use warnings;
use Net::POP3;

my ($mode, $host, $port, $user, $cafile, $folder) = @ARGV;
chomp(my $password = <STDIN>);

my @tls = (SSL_ca_file => $cafile, SSL_verifycn_name => 'localhost');
my $box = Net::POP3->new($host, Port => $port, $mode eq 'TLS' ? (SSL => 1, @tls) : ())
    or die "connect: $@";
if ($mode eq 'STLS') {
    $box->starttls(@tls) or die "STLS: ", $box->message;
}
my $count = $mode eq 'APOP' ? $box->apop($user, $password) : $box->login($user, $password);
defined $count or die "login: ", $box->message;
for my $number (1 .. $count) {
    my $lines = $box->get($number);
    if (!$lines) {
        print "refused $number ", $box->message, "\n";
        next;
    }
    open my $out, '>:raw', "$folder/$number" or die $!;
    # Net::Cmd turns CR LF into LF, but not over TLS.
    print {$out} map { s/\n\z/\r\n/r } @$lines if $mode !~ /TLS/;
    print {$out} @$lines if $mode =~ /TLS/;
    close $out or die $!;
}
$box->quit;
