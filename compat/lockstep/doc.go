// Package lockstep runs a script on several caches at once, and says where what
// they find differs: our server, the reference's, and the cache in this process,
// which has no server around it. Call [Compare].
//
// A ttl ends with a second of the wall clock, so every command has to reach all
// of them in the same second of the script; [Compare] sees to that. [Start]
// starts servers, and [CompareFiles] reports on files of scripts.
package lockstep
