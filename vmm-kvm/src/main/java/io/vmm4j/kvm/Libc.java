package io.vmm4j.kvm;

import java.lang.foreign.AddressLayout;
import java.lang.foreign.Arena;
import java.lang.foreign.FunctionDescriptor;
import java.lang.foreign.Linker;
import java.lang.foreign.MemoryLayout;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.StructLayout;
import java.lang.foreign.SymbolLookup;
import java.lang.foreign.ValueLayout;
import java.lang.invoke.MethodHandle;
import java.lang.invoke.VarHandle;
import java.nio.charset.StandardCharsets;

/**
 * The calls of the C library that the backend needs. What returns -1 there throws {@link
 * KvmException} here. Any thread.
 */
@SuppressWarnings("restricted") // all of them are called here, and nowhere else
final class Libc {
  static final int EINTR = 4;
  static final int EFAULT = 14;
  static final int EAGAIN = 11;
  static final int EINVAL = 22;
  static final int ENOSPC = 28;

  private static final int O_RDWR = 2;
  private static final int O_CLOEXEC = 0x80000;
  private static final int PROT_READ_WRITE = 3;
  private static final int MAP_SHARED = 1;
  private static final int EFD_CLOEXEC = 0x80000;
  private static final int EFD_NONBLOCK = 0x800;
  private static final int EPOLL_CLOEXEC = 0x80000;
  private static final int EPOLL_CTL_ADD = 1;
  private static final int EPOLLIN = 1;

  /** struct epoll_event, which is packed on x86-64: the events, then the data. */
  private static final int EPOLL_EVENT_BYTES = 12;

  private static final int EPOLL_EVENT_DATA = 4;

  private static final AddressLayout STRING =
      ValueLayout.ADDRESS.withTargetLayout(MemoryLayout.sequenceLayout(256, ValueLayout.JAVA_BYTE));
  // asm-generic/mman-common.h
  private static final int MADV_DONTNEED = 4;
  private static final int MADV_REMOVE = 9;

  private static final StructLayout CALL_STATE = Linker.Option.captureStateLayout();
  private static final VarHandle ERRNO =
      CALL_STATE.varHandle(MemoryLayout.PathElement.groupElement("errno"));

  private static final Linker LINKER = Linker.nativeLinker();
  private static final SymbolLookup SYMBOLS = LINKER.defaultLookup();

  private static final MethodHandle OPEN =
      failing(
          "open",
          FunctionDescriptor.of(ValueLayout.JAVA_INT, ValueLayout.ADDRESS, ValueLayout.JAVA_INT),
          Linker.Option.firstVariadicArg(2));
  private static final MethodHandle CLOSE =
      failing("close", FunctionDescriptor.of(ValueLayout.JAVA_INT, ValueLayout.JAVA_INT));
  private static final MethodHandle IOCTL =
      failing(
          "ioctl",
          FunctionDescriptor.of(
              ValueLayout.JAVA_INT,
              ValueLayout.JAVA_INT,
              ValueLayout.JAVA_LONG,
              ValueLayout.JAVA_LONG),
          Linker.Option.firstVariadicArg(2));
  private static final MethodHandle MMAP =
      failing(
          "mmap",
          FunctionDescriptor.of(
              ValueLayout.JAVA_LONG,
              ValueLayout.JAVA_LONG,
              ValueLayout.JAVA_LONG,
              ValueLayout.JAVA_INT,
              ValueLayout.JAVA_INT,
              ValueLayout.JAVA_INT,
              ValueLayout.JAVA_LONG));
  private static final MethodHandle MUNMAP =
      failing(
          "munmap",
          FunctionDescriptor.of(
              ValueLayout.JAVA_INT, ValueLayout.JAVA_LONG, ValueLayout.JAVA_LONG));
  private static final MethodHandle MADVISE =
      plain(
          "madvise",
          FunctionDescriptor.of(
              ValueLayout.JAVA_INT,
              ValueLayout.JAVA_LONG,
              ValueLayout.JAVA_LONG,
              ValueLayout.JAVA_INT));
  private static final MethodHandle EVENTFD =
      failing(
          "eventfd",
          FunctionDescriptor.of(ValueLayout.JAVA_INT, ValueLayout.JAVA_INT, ValueLayout.JAVA_INT));
  private static final MethodHandle EPOLL_CREATE =
      failing("epoll_create1", FunctionDescriptor.of(ValueLayout.JAVA_INT, ValueLayout.JAVA_INT));
  private static final MethodHandle EPOLL_CTL =
      failing(
          "epoll_ctl",
          FunctionDescriptor.of(
              ValueLayout.JAVA_INT,
              ValueLayout.JAVA_INT,
              ValueLayout.JAVA_INT,
              ValueLayout.JAVA_INT,
              ValueLayout.ADDRESS));
  private static final MethodHandle EPOLL_WAIT =
      failing(
          "epoll_wait",
          FunctionDescriptor.of(
              ValueLayout.JAVA_INT,
              ValueLayout.JAVA_INT,
              ValueLayout.ADDRESS,
              ValueLayout.JAVA_INT,
              ValueLayout.JAVA_INT));
  private static final MethodHandle READ =
      failing(
          "read",
          FunctionDescriptor.of(
              ValueLayout.JAVA_LONG,
              ValueLayout.JAVA_INT,
              ValueLayout.ADDRESS,
              ValueLayout.JAVA_LONG));
  private static final MethodHandle WRITE =
      failing(
          "write",
          FunctionDescriptor.of(
              ValueLayout.JAVA_LONG,
              ValueLayout.JAVA_INT,
              ValueLayout.ADDRESS,
              ValueLayout.JAVA_LONG));
  private static final MethodHandle SIGACTION =
      failing(
          "sigaction",
          FunctionDescriptor.of(
              ValueLayout.JAVA_INT,
              ValueLayout.JAVA_INT,
              ValueLayout.ADDRESS,
              ValueLayout.ADDRESS));
  private static final MethodHandle PTHREAD_SELF =
      plain("pthread_self", FunctionDescriptor.of(ValueLayout.JAVA_LONG));
  private static final MethodHandle PTHREAD_KILL =
      plain(
          "pthread_kill",
          FunctionDescriptor.of(ValueLayout.JAVA_INT, ValueLayout.JAVA_LONG, ValueLayout.JAVA_INT));
  private static final MethodHandle PTHREAD_SIGMASK =
      plain(
          "pthread_sigmask",
          FunctionDescriptor.of(
              ValueLayout.JAVA_INT,
              ValueLayout.JAVA_INT,
              ValueLayout.ADDRESS,
              ValueLayout.ADDRESS));
  private static final MethodHandle USLEEP =
      plain("usleep", FunctionDescriptor.of(ValueLayout.JAVA_INT, ValueLayout.JAVA_INT));
  private static final MethodHandle STRERROR =
      plain("strerror", FunctionDescriptor.of(STRING, ValueLayout.JAVA_INT));

  private Libc() {}

  private static MethodHandle plain(
      String name, FunctionDescriptor type, Linker.Option... options) {
    return LINKER.downcallHandle(address(name), type, options);
  }

  private static MethodHandle failing(
      String name, FunctionDescriptor type, Linker.Option... options) {
    Linker.Option[] all = new Linker.Option[options.length + 1];
    System.arraycopy(options, 0, all, 0, options.length);
    all[options.length] = Linker.Option.captureCallState("errno");
    return plain(name, type, all);
  }

  /** The address of a function. */
  static MemorySegment address(String name) {
    return SYMBOLS.findOrThrow(name);
  }

  private static MemorySegment callState(Arena arena) {
    return arena.allocate(CALL_STATE);
  }

  private static int errno(MemorySegment state) {
    return (int) ERRNO.get(state, 0L);
  }

  /** What a number of an error means, in words. */
  static String describe(int errno) {
    try {
      return ((MemorySegment) STRERROR.invokeExact(errno)).getString(0, StandardCharsets.UTF_8);
    } catch (Throwable e) {
      throw unexpected(e);
    }
  }

  private static RuntimeException unexpected(Throwable e) {
    return switch (e) {
      case RuntimeException runtime -> runtime;
      case Error error -> throw error;
      default -> new IllegalStateException(e);
    };
  }

  // ---- files ----

  static int open(String path) {
    try (Arena arena = Arena.ofConfined()) {
      MemorySegment state = callState(arena);
      int fd = (int) OPEN.invokeExact(state, arena.allocateFrom(path), O_RDWR | O_CLOEXEC);
      if (fd < 0) {
        throw new KvmException("open " + path, errno(state));
      }
      return fd;
    } catch (Throwable e) {
      throw unexpected(e);
    }
  }

  static void close(int fd) {
    try (Arena arena = Arena.ofConfined()) {
      MemorySegment state = callState(arena);
      if ((int) CLOSE.invokeExact(state, fd) < 0) {
        throw new KvmException("close", errno(state));
      }
    } catch (Throwable e) {
      throw unexpected(e);
    }
  }

  /** An eventfd at 0. */
  static int eventfd() {
    try (Arena arena = Arena.ofConfined()) {
      MemorySegment state = callState(arena);
      int fd = (int) EVENTFD.invokeExact(state, 0, EFD_CLOEXEC | EFD_NONBLOCK);
      if (fd < 0) {
        throw new KvmException("eventfd", errno(state));
      }
      return fd;
    } catch (Throwable e) {
      throw unexpected(e);
    }
  }

  /** Adds to the counter of an eventfd. */
  static void signalEvent(int fd, long count) {
    try (Arena arena = Arena.ofConfined()) {
      MemorySegment state = callState(arena);
      MemorySegment value = arena.allocateFrom(ValueLayout.JAVA_LONG, count);
      if ((long) WRITE.invokeExact(state, fd, value, 8L) != 8) {
        throw new KvmException("write to an eventfd", errno(state));
      }
    } catch (Throwable e) {
      throw unexpected(e);
    }
  }

  /** Takes the counter of an eventfd; false if it is 0. */
  static boolean takeEvent(int fd) {
    try (Arena arena = Arena.ofConfined()) {
      MemorySegment state = callState(arena);
      MemorySegment value = arena.allocate(ValueLayout.JAVA_LONG);
      while ((long) READ.invokeExact(state, fd, value, 8L) != 8) {
        if (errno(state) == EAGAIN) {
          return false;
        }
        if (errno(state) != EINTR) {
          throw new KvmException("read of an eventfd", errno(state));
        }
      }
      return true;
    } catch (Throwable e) {
      throw unexpected(e);
    }
  }

  /** Something to wait for several eventfds with. */
  static int epoll() {
    try (Arena arena = Arena.ofConfined()) {
      MemorySegment state = callState(arena);
      int fd = (int) EPOLL_CREATE.invokeExact(state, EPOLL_CLOEXEC);
      if (fd < 0) {
        throw new KvmException("epoll_create1", errno(state));
      }
      return fd;
    } catch (Throwable e) {
      throw unexpected(e);
    }
  }

  /** Lets {@link #awaitWatched} return a number while the counter of an eventfd is not 0. */
  static void watch(int epollFd, int eventFd, int number) {
    try (Arena arena = Arena.ofConfined()) {
      MemorySegment state = callState(arena);
      MemorySegment event = arena.allocate(EPOLL_EVENT_BYTES, 4);
      event.set(ValueLayout.JAVA_INT, 0, EPOLLIN);
      event.set(ValueLayout.JAVA_INT, EPOLL_EVENT_DATA, number);
      if ((int) EPOLL_CTL.invokeExact(state, epollFd, EPOLL_CTL_ADD, eventFd, event) < 0) {
        throw new KvmException("epoll_ctl", errno(state));
      }
    } catch (Throwable e) {
      throw unexpected(e);
    }
  }

  /** Waits for one of the eventfds that are watched. */
  static int awaitWatched(int epollFd) {
    try (Arena arena = Arena.ofConfined()) {
      MemorySegment state = callState(arena);
      MemorySegment event = arena.allocate(EPOLL_EVENT_BYTES, 4);
      while ((int) EPOLL_WAIT.invokeExact(state, epollFd, event, 1, -1) < 0) {
        if (errno(state) != EINTR) {
          throw new KvmException("epoll_wait", errno(state));
        }
      }
      return event.get(ValueLayout.JAVA_INT, EPOLL_EVENT_DATA);
    } catch (Throwable e) {
      throw unexpected(e);
    }
  }

  // ---- ioctl ----

  static int ioctl(int fd, Ioctl request, MemorySegment argument) {
    return ioctl(fd, request, argument.address());
  }

  /** The result, which is not negative. */
  static int ioctl(int fd, Ioctl request, long argument) {
    try (Arena arena = Arena.ofConfined()) {
      MemorySegment state = callState(arena);
      int result = tryIoctl(fd, request, argument, state);
      if (result < 0) {
        throw new KvmException(request.name(), -result);
      }
      return result;
    }
  }

  /** The result, or the negative errno. */
  static int tryIoctl(int fd, Ioctl request, long argument) {
    try (Arena arena = Arena.ofConfined()) {
      return tryIoctl(fd, request, argument, callState(arena));
    }
  }

  private static int tryIoctl(int fd, Ioctl request, long argument, MemorySegment state) {
    try {
      int result = (int) IOCTL.invokeExact(state, fd, request.request(), argument);
      return result < 0 ? -errno(state) : result;
    } catch (Throwable e) {
      throw unexpected(e);
    }
  }

  /** What {@link #run} needs, for one thread at a time. */
  static MemorySegment runState(Arena arena) {
    return callState(arena);
  }

  /** KVM_RUN: 0, or the negative errno. Not a critical call: it may block. */
  static int run(int vcpuFd, MemorySegment runState) {
    try {
      int result = (int) IOCTL.invokeExact(runState, vcpuFd, Ioctl.KVM_RUN.request(), 0L);
      return result < 0 ? -errno(runState) : result;
    } catch (Throwable e) {
      throw unexpected(e);
    }
  }

  // ---- memory ----

  /** Maps the beginning of a file, shared; {@link #unmap} undoes it. */
  static MemorySegment map(int fd, long length) {
    try (Arena arena = Arena.ofConfined()) {
      MemorySegment state = callState(arena);
      long address =
          (long) MMAP.invokeExact(state, 0L, length, PROT_READ_WRITE, MAP_SHARED, fd, 0L);
      if (address == -1) {
        throw new KvmException("mmap", errno(state));
      }
      return MemorySegment.ofAddress(address).reinterpret(length);
    } catch (Throwable e) {
      throw unexpected(e);
    }
  }

  static void unmap(MemorySegment mapping) {
    try (Arena arena = Arena.ofConfined()) {
      MemorySegment state = callState(arena);
      if ((int) MUNMAP.invokeExact(state, mapping.address(), mapping.byteSize()) < 0) {
        throw new KvmException("munmap", errno(state));
      }
    } catch (Throwable e) {
      throw unexpected(e);
    }
  }

  /** Gives mapped pages back; whether the kernel has taken them: madvise(2). */
  static boolean releasePages(MemorySegment pages, boolean shared) {
    try {
      int advice = shared ? MADV_REMOVE : MADV_DONTNEED;
      return (int) MADVISE.invokeExact(pages.address(), pages.byteSize(), advice) == 0;
    } catch (Throwable e) {
      throw unexpected(e);
    }
  }

  // ---- signals and threads ----

  /** sigaction(2) with structures of the C library's layout. */
  static void sigaction(int signal, MemorySegment action, MemorySegment old) {
    try (Arena arena = Arena.ofConfined()) {
      MemorySegment state = callState(arena);
      if ((int) SIGACTION.invokeExact(state, signal, action, old) < 0) {
        throw new KvmException("sigaction", errno(state));
      }
    } catch (Throwable e) {
      throw unexpected(e);
    }
  }

  /** Until a timer of the kernel's for one microsecond has come to its end. */
  static void sleepShortly() {
    try {
      int result = (int) USLEEP.invokeExact(1); // fails for a signal only, which is no matter
    } catch (Throwable e) {
      throw unexpected(e);
    }
  }

  /** The calling thread, for {@link #signalThread}. */
  static long currentThread() {
    try {
      return (long) PTHREAD_SELF.invokeExact();
    } catch (Throwable e) {
      throw unexpected(e);
    }
  }

  /** Sends a signal to a thread, which must not have ended. */
  static void signalThread(long thread, int signal) {
    try {
      int errno = (int) PTHREAD_KILL.invokeExact(thread, signal);
      if (errno != 0) {
        throw new KvmException("pthread_kill", errno);
      }
    } catch (Throwable e) {
      throw unexpected(e);
    }
  }

  /** pthread_sigmask(3) for the calling thread. */
  static void signalMask(int how, MemorySegment set) {
    try {
      int errno = (int) PTHREAD_SIGMASK.invokeExact(how, set, MemorySegment.NULL);
      if (errno != 0) {
        throw new KvmException("pthread_sigmask", errno);
      }
    } catch (Throwable e) {
      throw unexpected(e);
    }
  }
}
