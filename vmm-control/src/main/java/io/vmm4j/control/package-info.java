/** A machine under control from outside its process: a UNIX-domain socket, and a client for it. */
@NullMarked
package io.vmm4j.control;

import org.jspecify.annotations.NullMarked;
