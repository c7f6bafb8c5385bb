// Package confine keeps the command to its promises whatever the libraries below
// it do. It is for the command only: it changes the whole process, which is not a
// library's to do.
//
//   - [Apply] confines the process: no network, no command but its own, no file
//     but those of a [Policy]. On Linux it is made of Landlock
//     (https://docs.kernel.org/userspace-api/landlock.html) and of a seccomp
//     filter (https://docs.kernel.org/userspace-api/seccomp_filter.html), as far
//     as the kernel has them. Other systems have no such means that a process
//     may use on itself; a [Status] says what holds.
//   - [Worker] runs engines in another process of the same executable, which can
//     be ended when it takes too much time or memory. [Serve] is that process.
//   - [NewScratch] makes a directory for files that exist during one run only.
package confine
