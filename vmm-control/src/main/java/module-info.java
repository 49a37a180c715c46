/** Control of a machine from outside its process, through a UNIX-domain socket. */
module io.vmm4j.control {
  requires static org.jspecify;
  requires transitive io.vmm4j.api;
  requires com.fasterxml.jackson.core;
  requires io.netty.buffer;
  requires io.netty.common;
  requires io.netty.transport;
  requires io.vmm4j.socket;
  requires org.slf4j;

  exports io.vmm4j.control;
}
