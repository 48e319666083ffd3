// Package dispatchconf reads the configuration files of Qpid Dispatch Router 1.19, so that its users can keep theirs.
//
// A file is a list of entities, each with attributes:
//
//	# The router itself
//	router {
//	    mode: interior          # one attribute a line
//	    id: Router.A
//	}
//	vhost {
//	    hostname: example.com
//	    groups: {               # JSON up to the brace that closes it, with comments on lines of their own
//	        "$default": { "users": "*", "remoteHosts": "*", },
//	    }
//	}
//
// Braces stand at the end of their line, or alone. A name may be written with hyphens or in camelCase: ssl-profile is
// sslProfile. A comment goes from # to the end of its line, but for the attributes pattern, bindingKey and hostname, whose
// value may have a # in it and ends at the first blank.
//
// The package knows the form only: which entities and attributes there are, and what they mean, is for its caller. It is
// pure, and takes memory in proportion to the text.
package dispatchconf
