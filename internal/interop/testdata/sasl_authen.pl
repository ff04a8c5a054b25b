# Logs in with Authen::SASL: PORT MECHANISM USER CAFILE, the password on standard
# input. Prints the last reply.
use strict;
use warnings;
use Authen::SASL;
use IO::Socket::SSL;
use MIME::Base64;

alarm 60;
my ($port, $mechanism, $user, $ca) = @ARGV;
chomp(my $password = <STDIN>);
my $conn = IO::Socket::SSL->new(
    PeerAddr => 'localhost', PeerPort => $port, SSL_hostname => 'localhost',
    SSL_ca_file => $ca, SSL_verifycn_scheme => 'smtp',
) or die "connect: $SSL_ERROR\n";
<$conn> =~ /^\+OK/ or die "no greeting\n";
my $client = Authen::SASL->new(mechanism => $mechanism,
    callback => { user => $user, authname => '', pass => $password })->client_new('pop', 'localhost');
my $first = $client->client_start;
die $client->error, "\n" if !defined $first && $client->error;
print $conn "AUTH $mechanism\r\n";
while (defined(my $line = <$conn>)) {
    $line =~ s/\r\n\z//;
    if ($line !~ /^\+ ?([A-Za-z0-9+\/=]*)\z/) {
        print "$line\n";
        exit($line =~ /^\+OK/ ? 0 : 1);
    }
    my $answer = $1 eq '' && defined $first && $first ne '' ? $first : $client->client_step(decode_base64($1));
    $first = undef;
    print $conn encode_base64($answer // '', ''), "\r\n";
}
die "hang-up\n";
