# Varnish: cache in memory (-s malloc), one pool of threads. Its built-in rules do the rest.
vcl 4.1;
backend origin {
    .host = "127.0.0.1";
    .port = "@ORIGIN@";
}
sub vcl_backend_response {
    set beresp.ttl = 1h;
    set beresp.grace = 0s;
}
