// Package logging makes the log of the process.
//
// Its promise: a line that says the same as many before it costs no disk. Of the lines of one level and text only so
// many are written in an interval, whoever writes them; at its end one line tells how many more there were.
package logging
