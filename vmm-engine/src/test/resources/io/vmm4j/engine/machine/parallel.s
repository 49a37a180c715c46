# Up to four vCPUs in 64-bit mode that do at the same time what a test is about. The bootstrap
# processor starts the others at this same code, waits for all, and ends the machine by the debug
# exit port. What runs is a number at 0x680 and how often at 0x684, which the test puts there; it
# looks at what is left in memory.
#   600 processors that are up   608 processors that are done   60C barrier
#   680 which test               684 how often                  688 how many processors
#   20000 on: what the tests leave, see there
# Assembled by
#   as --64 parallel.s -o p.o && objcopy -O binary -j .text p.o p.bin && xxd -p p.bin > parallel.hex
.code16
.intel_syntax noprefix
.set BASE, 0x10000
start:
  cli
  xor ax, ax
  mov ds, ax
  mov es, ax
  mov ss, ax
  mov sp, 0x6F0
  mov ecx, 0x1B           # IA32_APIC_BASE
  rdmsr
  or ah, 0x0C             # enabled, x2APIC
  wrmsr
  mov esi, eax            # bit 8: the bootstrap processor
  mov ecx, 0x80F
  mov eax, 0x1FF
  xor edx, edx
  wrmsr
  mov ecx, 0x802
  rdmsr
  mov ebx, eax            # EBX: the id
  test esi, 0x100
  jz tables_ready
  mov di, 0x1000          # page tables: 2 MiB as they are, 2 MiB of the tests' own
  mov cx, 0x5000
  xor eax, eax
  rep stosb
  mov dword ptr [0x1000], 0x2007
  mov dword ptr [0x2000], 0x3007
  mov dword ptr [0x3000], 0x4007
  mov dword ptr [0x3008], 0x5007
  mov di, 0x4000
  mov eax, 7
  mov cx, 512
map:
  mov [di], eax
  add eax, 0x1000
  add di, 8
  loop map
tables_ready:
  lgdt cs:[gdtr - start]
  mov eax, 0x620          # PAE, FXSR, OSXMMEXCPT
  mov cr4, eax
  mov eax, 0x1000
  mov cr3, eax
  mov ecx, 0xC0000080
  mov eax, 0x900          # LME, NXE
  xor edx, edx
  wrmsr
  mov eax, 0x80000033
  mov cr0, eax
  .byte 0x66, 0xEA        # jmp 8:wide
  .long BASE + wide - start
  .word 8

.balign 8
gdt:
  .quad 0
  .quad 0x00AF9B000000FFFF
  .quad 0x00CF93000000FFFF
gdtr:
  .word 23
  .long BASE + gdt - start

.code64
wide:
  mov eax, 16
  mov ds, eax
  mov es, eax
  mov ss, eax
  mov esp, ebx
  shl esp, 12
  add esp, 0x8000         # stacks end at 8000, 9000, A000, B000
  test esi, 0x100
  jz idt_ready
  # the interrupts: 32 exceptions, and 40 for shootdowns
  mov edi, 0xC000
  xor ecx, ecx
gate:
  lea rax, [rip + wrong]
  lea rdx, [rip + shootdown]
  cmp ecx, 0x40
  cmove rax, rdx
  mov [rdi], ax
  mov word ptr [rdi + 2], 8
  mov word ptr [rdi + 4], 0x8E00
  shr rax, 16
  mov [rdi + 6], ax
  mov dword ptr [rdi + 8], 0
  mov dword ptr [rdi + 12], 0
  add edi, 16
  inc ecx
  cmp ecx, 0x41
  jb gate
idt_ready:
  lidt [rip + idtr]
  test esi, 0x100
  jz count_up
  cmp dword ptr [0x688], 1
  je count_up
  mov ecx, 0x830
  xor edx, edx
  mov eax, 0xC4500        # INIT to all others
  wrmsr
  mov eax, 0xC4610        # start-up at page 10
  wrmsr
count_up:
  mov ebp, [0x684]        # EBP: how often
  cmp ebx, [0x688]
  jae halt                # not one of those that the test wants
  lock inc dword ptr [0x600]
up:
  pause
  mov eax, [0x600]
  cmp eax, [0x688]
  jb up
  mov eax, [0x680]
  lea rdx, [rip + tests]
  movsxd rax, dword ptr [rdx + 4 * rax]
  add rax, rdx
  call rax
  lock inc dword ptr [0x608]
  test ebx, ebx
  jnz halt
finished:
  pause
  mov eax, [0x608]
  cmp eax, [0x688]
  jb finished
  mov al, 1
  out 0xF4, al
halt:
  sti                     # shootdowns are answered
  hlt
  jmp halt
wrong:
  mov al, 99
  out 0xF4, al
  hlt
idtr:
  .word 0x40F
  .quad 0xC000

.balign 4
tests:
  .long locked - tests, misaligned - tests, buffering - tests, passing - tests
  .long loads - tests, independent - tests, modify - tests, shoot - tests
  .long accessed - tests, write_code - tests, endless - tests

# barrier: all processors of the test come here; R8 counts how often.
barrier:
  inc r8d
  mov eax, r8d
  imul eax, [0x688]
  lock inc dword ptr [0x60C]
together:
  pause
  cmp [0x60C], eax
  jl together
  ret

# 0. Counters. 20000 xadd, 20008 inc, 20010 cmpxchg, 20020 cmpxchg16b (1 and 3), 20030 plain under
# a lock of bts, 20040 plain under a lock of xchg, 20050 bytes and words side by side, 20058 adc,
# 20060 cmpxchg8b, 20068 every processor's bit, 20070 neg and not
locked:
  mov esi, 0x20000
  mov edi, ebp
locked_next:
  mov eax, 1
  lock xadd [rsi], rax
  lock inc dword ptr [rsi + 8]
  mov rax, [rsi + 0x10]
exchange:
  lea rdx, [rax + 5]
  lock cmpxchg [rsi + 0x10], rdx
  jne exchange
  push rbx
  mov rax, [rsi + 0x20]
  mov rdx, [rsi + 0x28]
exchange16:
  lea rbx, [rax + 1]
  lea rcx, [rdx + 3]
  lock cmpxchg16b [rsi + 0x20]
  jne exchange16
  mov eax, [rsi + 0x60]
  mov edx, [rsi + 0x64]
exchange8:
  lea ebx, [rax + 1]
  lea ecx, [rdx + 7]
  lock cmpxchg8b [rsi + 0x60]
  jne exchange8
  pop rbx
take_bit:
  pause
  lock bts dword ptr [rsi + 0x34], 3
  jc take_bit
  inc dword ptr [rsi + 0x30]
  lock btr dword ptr [rsi + 0x34], 3
take_word:
  pause
  mov eax, 1
  xchg eax, [rsi + 0x44]
  test eax, eax
  jnz take_word
  inc dword ptr [rsi + 0x40]
  mov dword ptr [rsi + 0x44], 0
  lock inc byte ptr [rsi + 0x50]
  lock sub byte ptr [rsi + 0x51], 1
  lock add word ptr [rsi + 0x52], 3
  stc
  lock adc qword ptr [rsi + 0x58], 1
  mov ecx, ebx
  mov eax, 1
  shl eax, cl
  lock xor [rsi + 0x68], eax
  lock not dword ptr [rsi + 0x70]
  lock neg dword ptr [rsi + 0x74]
  dec edi
  jnz locked_next
  ret

# 1. Locked additions across a page (20FFE) and across a line (2103E), and to what lies beside.
misaligned:
  mov esi, 0x20FFE
  mov edi, ebp
misaligned_next:
  lock add dword ptr [rsi], 1
  mov eax, 1
  lock xadd [rsi + 0x40 - 1], rax
  lock inc word ptr [rsi + 4]
  xor eax, eax
  xchg [rsi + 0x8D], ax
  dec edi
  jnz misaligned_next
  ret

# 2. Store buffering, in slots of 16 bytes from 20000 on: X, Y, what 0 has read, what 1 has read.
# The upper half of the slots with MFENCE or, every other one, XCHG in between.
buffering:
  mov esi, 0x20000
  xor edi, edi
  xor r8d, r8d
buffering_next:
  call barrier
  mov r9d, ebp
  shr r9d, 1
  cmp edi, r9d
  jae buffering_ordered
  test ebx, ebx
  jnz 1f
  mov dword ptr [rsi], 1
  mov eax, [rsi + 4]
  mov [rsi + 8], eax
  jmp 3f
1:
  mov dword ptr [rsi + 4], 1
  mov eax, [rsi]
  mov [rsi + 12], eax
  jmp 3f
buffering_ordered:
  mov ecx, 1
  test edi, 1
  jz 4f
  test ebx, ebx
  jnz 1f
  mov dword ptr [rsi], 1
  mfence
  mov eax, [rsi + 4]
  mov [rsi + 8], eax
  jmp 3f
1:
  mov dword ptr [rsi + 4], 1
  mfence
  mov eax, [rsi]
  mov [rsi + 12], eax
  jmp 3f
4:
  test ebx, ebx
  jnz 1f
  xchg [rsi], ecx
  mov eax, [rsi + 4]
  mov [rsi + 8], eax
  jmp 3f
1:
  xchg [rsi + 4], ecx
  mov eax, [rsi]
  mov [rsi + 12], eax
3:
  add esi, 16
  inc edi
  cmp edi, ebp
  jb buffering_next
  ret

# 3. Message passing: 0 stores data (20000) and then a flag (20040); the others count in 20080 what
# they see of the flag without the data, and in 200C0 how often they have seen something new.
passing:
  mov esi, 0x20000
  xor edi, edi
  xor ecx, ecx
  test ebx, ebx
  jnz passing_read
1:
  inc edi
  mov [rsi], edi
  mov [rsi + 0x40], edi
  cmp edi, ebp
  jb 1b
  ret
passing_read:
  mov eax, [rsi + 0x40]
  mov edx, [rsi]
  cmp edx, eax
  jae 2f
  lock inc dword ptr [rsi + 0x80]
2:
  cmp eax, edi
  je 3f
  lock inc dword ptr [rsi + 0xC0]
  mov edi, eax
3:
  cmp eax, ebp
  jb passing_read
  ret

# 4. Load buffering, in slots as above: each reads the other's word and then stores its own.
loads:
  mov esi, 0x20000
  xor edi, edi
  xor r8d, r8d
loads_next:
  call barrier
  test ebx, ebx
  jnz 1f
  mov eax, [rsi]
  mov dword ptr [rsi + 4], 1
  mov [rsi + 8], eax
  jmp 2f
1:
  mov eax, [rsi + 4]
  mov dword ptr [rsi], 1
  mov [rsi + 12], eax
2:
  add esi, 16
  inc edi
  cmp edi, ebp
  jb loads_next
  ret

# 5. Independent reads of independent writes: 0 counts X (20000) up, 1 counts Y (20040); 2 notes X
# and then Y in pairs from 30000 on, 3 notes Y and then X from 60000 on, until both are done.
independent:
  mov esi, 0x20000
  xor edi, edi
  cmp ebx, 1
  je 1f
  ja 2f
0:
  inc edi
  mov [rsi], edi
  cmp edi, ebp
  jb 0b
  ret
1:
  inc edi
  mov [rsi + 0x40], edi
  cmp edi, ebp
  jb 1b
  ret
2:
  mov edi, 0x30000
  mov r9d, 0x50000
  cmp ebx, 2
  je 3f
  mov edi, 0x60000
  mov r9d, 0x80000
4:
  mov eax, [rsi + 0x40]
  mov edx, [rsi]
  jmp 5f
3:
  mov eax, [rsi]
  mov edx, [rsi + 0x40]
5:
  mov [rdi], eax
  mov [rdi + 4], edx
  mov ecx, eax
  and ecx, edx
  cmp ecx, ebp
  je 7f
  cmp eax, [rdi - 8]
  jne 6f
  cmp edx, [rdi - 4]
  je 8f
6:
  add edi, 8
  cmp edi, r9d
  jb 8f
  sub edi, 8
8:
  cmp ebx, 2
  je 3b
  jmp 4b
7:
  ret

# 6. Cross-modifying code: 0 writes a number into a function and then into 20000; the others wait
# for it, serialise, call the function and count in 20040 what is another number; 20080 are calls.
modify:
  mov esi, 0x20000
  xor edi, edi
  xor r8d, r8d
modify_next:
  inc edi
  test ebx, ebx
  jnz 1f
  mov [rip + modified + 1], edi
  mov [rsi], edi
  jmp 3f
1:
  pause
  cmp [rsi], edi
  jne 1b
  push rbx
  xor eax, eax
  cpuid
  pop rbx
  call modified
  lock inc dword ptr [rsi + 0x80]
  cmp eax, edi
  je 3f
  lock inc dword ptr [rsi + 0x40]
3:
  call barrier
  cmp edi, ebp
  jb modify_next
  ret
modified:
  mov eax, 0
  ret

# 7. Shootdowns: the page at 200000 leads by turns to 40000 and 41000. 0 changes it, has the others
# forget it, and then writes 0xDEAD to the page that it led to. They count in 20040 where they have
# read that, and in 20080 what they have read. 20010 counts answers.
shoot:
  mov esi, 0x20000
  mov r11d, 0x200000
  test ebx, ebx
  jnz shoot_read
  xor edi, edi
  mov r10d, [0x688]
  dec r10d
shoot_next:
  inc edi
  mov eax, edi
  and eax, 1
  shl eax, 12
  add eax, 0x40000
  mov [rax], edi          # what is to be seen
  or eax, 7
  mov [0x5000], rax
  invlpg [r11]
  mov dword ptr [rsi + 0x10], 0
  mov ecx, 0x830
  xor edx, edx
  mov eax, 0xC4040        # vector 40 to all others
  wrmsr
1:
  pause
  cmp [rsi + 0x10], r10d
  jb 1b
  mov eax, edi
  and eax, 1
  xor eax, 1
  shl eax, 12
  mov dword ptr [rax + 0x40000], 0xDEAD
  cmp edi, ebp
  jb shoot_next
  mov dword ptr [rsi + 0x14], 1
  ret
shoot_read:
  cmp dword ptr [0x5000], 0
  je shoot_read
  sti
1:
  mov ecx, 1000
2:
  mov eax, [r11]
  cmp eax, 0xDEAD
  jne 3f
  lock inc dword ptr [rsi + 0x40]
3:
  dec ecx
  jnz 2b
  lock inc dword ptr [rsi + 0x80]
  cmp dword ptr [rsi + 0x14], 0
  je 1b
  ret
shootdown:
  push rax
  push rcx
  push rdx
  mov eax, 0x200000
  invlpg [rax]
  lock inc dword ptr [0x20010]
  mov ecx, 0x80B
  xor eax, eax
  xor edx, edx
  wrmsr
  pop rdx
  pop rcx
  pop rax
  iretq

# 8. Accessed and dirty bits: 0 and 1 count in bits 52 to 58 of the entry of a page; the others clear
# its accessed and dirty bits and access the page, which sets them. 20000 counts accesses.
accessed:
  mov esi, 0x20000
  mov r11d, 0x201000
  mov edi, ebp
  mov eax, 0x42007
  cmp ebx, 0
  jne 1f
  mov [0x5008], rax
1:
  cmp dword ptr [0x5008], 0
  je 1b
  mov rdx, 1 << 52
2:
  cmp ebx, 1
  ja 3f
  lock add [0x5008], rdx
  jmp 4f
3:
  lock and dword ptr [0x5008], ~0x60
  invlpg [r11]
  mov eax, [r11]
  inc dword ptr [r11 + 4 * rbx]
  lock inc dword ptr [rsi]
4:
  dec edi
  jnz 2b
  ret

# 9. Code where there was data: 0 writes a function into one of eight pages from 44000 on, again and
# again over what it has written there, and then its number into 20000; the others as in 6.
write_code:
  mov esi, 0x20000
  xor edi, edi
  xor r8d, r8d
write_code_next:
  inc edi
  mov edx, edi
  and edx, 7
  shl edx, 12
  add edx, 0x44000
  test ebx, ebx
  jnz 1f
  mov ecx, 64             # the page is written fast
2:
  mov [rdx + 0x800 + 4 * rcx], edi
  mov [rdx + 0x100], ecx
  dec ecx
  jnz 2b
  mov byte ptr [rdx + 0x100], 0xB8
  mov [rdx + 0x101], edi
  mov byte ptr [rdx + 0x105], 0xC3
  mov [rsi], edi
  jmp 3f
1:
  pause
  cmp [rsi], edi
  jne 1b
  push rbx
  push rdx
  xor eax, eax
  cpuid
  pop rdx
  pop rbx
  add edx, 0x100
  call rdx
  lock inc dword ptr [rsi + 0x80]
  cmp eax, edi
  je 3f
  lock inc dword ptr [rsi + 0x40]
3:
  call barrier
  cmp edi, ebp
  jb write_code_next
  ret

# 10. For ever: a count by all (20000), each one's own (20040 + 64 id), and the stores of each in a
# page of its own from 90000 on. Once 20010 is set each notes that it has seen it, in 20014.
endless:
  mov esi, 0x20000
  mov edx, ebx
  shl edx, 6
  mov edi, ebx
  shl edi, 12
  xor ecx, ecx
1:
  lock inc qword ptr [rsi]
  inc qword ptr [rsi + 0x40 + rdx]
  inc ecx
  and ecx, 0x1FF
  mov rax, [rsi + 0x40 + rdx]
  mov [rdi + 0x90000 + 8 * rcx], rax
  pause
  cmp dword ptr [rsi + 0x10], 0
  je 1b
  lock inc dword ptr [rsi + 0x14]
  ret
