; What a call gives: results in the containers of the function, and what it has written to captured objects.

declare ptr @memcpy(ptr, ptr, i64)

; What the call gives, built on a stack of objects; null where that raises.
define ptr @answer(ptr %record, ptr %state) {
start:
  %environment = field ptr record.environment %record
  %rows = field ptr record.steps %record
  %n = field i64 record.nsteps %record
  %stack = field ptr state.stack %state
  %depth = alloca i64
  store i64 0, ptr %depth
  br label %head
head:
  %i = phi i64 [0, %start], [%i.next, %next]
  %top = load i64, ptr %depth
  %more = icmp ult i64 %i, %n
  br i1 %more, label %step, label %done
step:
  %word = mul i64 %i, ${step}
  %row = getelementptr i64, ptr %rows, i64 %word
  %kind = field i64 step.kind %row
  %what = field ptr step.what %row
  %count = field i64 step.count %row
  %below = sub i64 %top, %count
  %parts = getelementptr ptr, ptr %stack, i64 %below
  switch i64 %kind, label %constant [
    i64 0, label %result
    i64 2, label %tuple
    i64 3, label %list
    i64 4, label %dictionary
    i64 5, label %box
    i64 6, label %store
    i64 7, label %call
    i64 8, label %store.key
    i64 9, label %store.index
    i64 10, label %copy
    i64 11, label %fields
    i64 12, label %operand
  ]
result:
  %value = call ptr @result_object(ptr %environment, ptr %record, ptr %state, ptr %what)
  br label %made
constant:
  call void @Py_IncRef(ptr %what)
  br label %made
operand:
  %objects = field ptr state.objects %state
  %operand.number = ptrtoint ptr %what to i64
  %operand.at = getelementptr ptr, ptr %objects, i64 %operand.number
  %operand.object = load ptr, ptr %operand.at
  call void @Py_IncRef(ptr %operand.object)
  br label %made
tuple:
  %tuple.made = call ptr @tuple_of(ptr %parts, i64 %count, ptr %what)
  br label %made
list:
  %list.made = call ptr @list_of(ptr %parts, i64 %count)
  br label %made
dictionary:
  %dictionary.made = call ptr @dictionary_of(ptr %parts, i64 %count, ptr %what)
  br label %made
fields:
  %filled = call ptr @filled(ptr %parts, i64 %count, ptr %what)
  br label %made
box:
  %boxed = call ptr @boxed(ptr %parts, ptr %what)
  br label %made
call:
  %given = call ptr @PyObject_Vectorcall(ptr %what, ptr %parts, i64 1, ptr null)
  %part = load ptr, ptr %parts
  call void @Py_DecRef(ptr %part)
  br label %made
store:
  call void @store_into(ptr %state, ptr %row, ptr %parts)
  store i64 %below, ptr %depth
  br label %next
store.key:
  call void @store_under_key(ptr %state, ptr %row, ptr %parts)
  store i64 %below, ptr %depth
  br label %next
store.index:
  call void @store_at_index(ptr %state, ptr %row, ptr %parts)
  store i64 %below, ptr %depth
  br label %next
copy:
  call void @copy_into(ptr %state, ptr %row)
  br label %next
made:
  %object = phi ptr [%value, %result], [%what, %constant], [%operand.object, %operand], [%tuple.made, %tuple], [%list.made, %list], [%dictionary.made, %dictionary], [%filled, %fields], [%boxed, %box], [%given, %call]
  %failed = icmp eq ptr %object, null
  br i1 %failed, label %raise, label %push
push:
  store ptr %object, ptr %parts
  %above = add i64 %below, 1
  store i64 %above, ptr %depth
  br label %next
next:
  %i.next = add i64 %i, 1
  br label %head
done:
  %whole = load ptr, ptr %stack
  ret ptr %whole
raise:
  ; The parts of what could not be made are gone; what lies below them is still ours.
  call void @let_go(ptr %stack, i64 %below)
  ret ptr null
}

; A result as an object, with a reference that is the caller's.
define ptr @result_object(ptr %environment, ptr %record, ptr %state, ptr %which) {
start:
  %number = ptrtoint ptr %which to i64
  %word = mul i64 %number, ${result}
  %rows = field ptr record.results %record
  %row = getelementptr i64, ptr %rows, i64 %word
  %kind = field i64 result.kind %row
  %is.scalar = icmp eq i64 %kind, 1
  br i1 %is.scalar, label %scalar, label %object
object:
  %fresh = field ptr state.fresh %state
  %at = getelementptr ptr, ptr %fresh, i64 %number
  %made = load ptr, ptr %at
  call void @Py_IncRef(ptr %made)
  ret ptr %made
scalar:
  %pointers = field ptr state.pointers %state
  %pointer = field i64 result.pointer %row
  %pointer.at = getelementptr ptr, ptr %pointers, i64 %pointer
  %data = load ptr, ptr %pointer.at
  %descr = field ptr result.descr %row
  %scalars = field ptr environment.scalars %environment
  %new = call ptr %scalars(ptr %data, ptr %descr, ptr null)
  ret ptr %new
}

; A tuple, or one of a class of named tuples, which are made as Python makes them.
define ptr @tuple_of(ptr %parts, i64 %n, ptr %type) {
start:
  %is.plain = icmp eq ptr %type, null
  br i1 %is.plain, label %plain, label %named
plain:
  %tuple = call ptr @PyTuple_New(i64 %n)
  br label %filled
named:
  %other = call ptr @PyType_GenericAlloc(ptr %type, i64 %n)
  br label %filled
filled:
  %made = phi ptr [%tuple, %plain], [%other, %named]
  %failed = icmp eq ptr %made, null
  br i1 %failed, label %raise, label %head
head:
  %i = phi i64 [0, %filled], [%i.next, %one]
  %more = icmp ult i64 %i, %n
  br i1 %more, label %one, label %done
one:
  %at = getelementptr ptr, ptr %parts, i64 %i
  %part = load ptr, ptr %at
  %set = call i32 @PyTuple_SetItem(ptr %made, i64 %i, ptr %part)
  %i.next = add i64 %i, 1
  br label %head
done:
  ret ptr %made
raise:
  call void @let_go(ptr %parts, i64 %n)
  ret ptr null
}

define ptr @list_of(ptr %parts, i64 %n) {
start:
  %made = call ptr @PyList_New(i64 %n)
  %failed = icmp eq ptr %made, null
  br i1 %failed, label %raise, label %head
head:
  %i = phi i64 [0, %start], [%i.next, %one]
  %more = icmp ult i64 %i, %n
  br i1 %more, label %one, label %done
one:
  %at = getelementptr ptr, ptr %parts, i64 %i
  %part = load ptr, ptr %at
  %set = call i32 @PyList_SetItem(ptr %made, i64 %i, ptr %part)
  %i.next = add i64 %i, 1
  br label %head
done:
  ret ptr %made
raise:
  call void @let_go(ptr %parts, i64 %n)
  ret ptr null
}

define ptr @dictionary_of(ptr %parts, i64 %n, ptr %keys) {
start:
  %made = call ptr @PyDict_New()
  %failed = icmp eq ptr %made, null
  br i1 %failed, label %raise, label %head
head:
  %i = phi i64 [0, %start], [%i.next, %next]
  %more = icmp ult i64 %i, %n
  br i1 %more, label %next, label %done
next:
  %at = getelementptr ptr, ptr %parts, i64 %i
  %part = load ptr, ptr %at
  %key.at = getelementptr ptr, ptr %keys, i64 %i
  %key = load ptr, ptr %key.at
  %set = call i32 @PyDict_SetItem(ptr %made, ptr %key, ptr %part)
  %i.next = add i64 %i, 1
  %refused = icmp ne i32 %set, 0
  br i1 %refused, label %drop, label %head
done:
  call void @let_go(ptr %parts, i64 %n)
  ret ptr %made
drop:
  call void @Py_DecRef(ptr %made)
  br label %raise
raise:
  call void @let_go(ptr %parts, i64 %n)
  ret ptr null
}

; A new object whose attributes the parts are: `words` are Python's function that makes it, its class, and the names.
define ptr @filled(ptr %parts, i64 %n, ptr %words) {
start:
  %maker = load ptr, ptr %words
  %type.at = getelementptr ptr, ptr %words, i64 1
  %names = getelementptr ptr, ptr %words, i64 2
  %made = call ptr @PyObject_Vectorcall(ptr %maker, ptr %type.at, i64 1, ptr null)
  %failed = icmp eq ptr %made, null
  br i1 %failed, label %raise, label %head
head:
  %i = phi i64 [0, %start], [%i.next, %next]
  %more = icmp ult i64 %i, %n
  br i1 %more, label %next, label %done
next:
  %at = getelementptr ptr, ptr %parts, i64 %i
  %part = load ptr, ptr %at
  %name.at = getelementptr ptr, ptr %names, i64 %i
  %name = load ptr, ptr %name.at
  %set = call i32 @PyObject_GenericSetAttr(ptr %made, ptr %name, ptr %part)
  %i.next = add i64 %i, 1
  %refused = icmp ne i32 %set, 0
  br i1 %refused, label %drop, label %head
done:
  call void @let_go(ptr %parts, i64 %n)
  ret ptr %made
drop:
  call void @Py_DecRef(ptr %made)
  br label %raise
raise:
  call void @let_go(ptr %parts, i64 %n)
  ret ptr null
}

; An object of a class with slots: one holds the part, the others what the template says.
define ptr @boxed(ptr %parts, ptr %template) {
start:
  %part = load ptr, ptr %parts
  %type = field ptr template.type %template
  %n = field i64 template.slots %template
  %offset = field i64 template.offset %template
  %made = call ptr @PyType_GenericAlloc(ptr %type, i64 0)
  %failed = icmp eq ptr %made, null
  br i1 %failed, label %raise, label %fill
fill:
  %part.at = getelementptr i8, ptr %made, i64 %offset
  store ptr %part, ptr %part.at
  %pairs = getelementptr i64, ptr %template, i64 ${template}
  br label %head
head:
  %i = phi i64 [0, %fill], [%i.next, %one]
  %more = icmp ult i64 %i, %n
  br i1 %more, label %one, label %done
one:
  %pair = getelementptr { i64, ptr }, ptr %pairs, i64 %i
  %slot = load i64, ptr %pair
  %object.at = getelementptr i64, ptr %pair, i64 1
  %object = load ptr, ptr %object.at
  call void @Py_IncRef(ptr %object)
  %slot.at = getelementptr i8, ptr %made, i64 %slot
  store ptr %object, ptr %slot.at
  %i.next = add i64 %i, 1
  br label %head
done:
  ret ptr %made
raise:
  call void @Py_DecRef(ptr %part)
  ret ptr null
}

; Give a slot of an operand another content.
define void @store_into(ptr %state, ptr %row, ptr %parts) {
start:
  %number = field i64 step.what %row
  %offset = field i64 step.offset %row
  %objects = field ptr state.objects %state
  %at = getelementptr ptr, ptr %objects, i64 %number
  %object = load ptr, ptr %at
  %slot = getelementptr i8, ptr %object, i64 %offset
  %before = load ptr, ptr %slot
  %part = load ptr, ptr %parts
  store ptr %part, ptr %slot
  %was.empty = icmp eq ptr %before, null
  br i1 %was.empty, label %done, label %drop
drop:
  call void @Py_DecRef(ptr %before)
  br label %done
done:
  ret void
}

; The object that an operand is.
define ptr @operand_of(ptr %state, i64 %number) {
  %objects = field ptr state.objects %state
  %at = getelementptr ptr, ptr %objects, i64 %number
  %object = load ptr, ptr %at
  ret ptr %object
}

; Give a key of a dictionary another value. It has the key, so there is nothing that could fail.
define void @store_under_key(ptr %state, ptr %row, ptr %parts) {
start:
  %number = field i64 step.what %row
  %key = field ptr step.offset %row
  %object = call ptr @operand_of(ptr %state, i64 %number)
  %part = load ptr, ptr %parts
  %set = call i32 @PyDict_SetItem(ptr %object, ptr %key, ptr %part)
  call void @Py_DecRef(ptr %part)
  %failed = icmp ne i32 %set, 0
  br i1 %failed, label %clear, label %done
clear:
  call void @PyErr_Clear()
  br label %done
done:
  ret void
}

; Put an object into a list, unless another thread has shortened it meanwhile.
define void @store_at_index(ptr %state, ptr %row, ptr %parts) {
start:
  %number = field i64 step.what %row
  %index = field i64 step.offset %row
  %object = call ptr @operand_of(ptr %state, i64 %number)
  %part = load ptr, ptr %parts
  %set = call i32 @PyList_SetItem(ptr %object, i64 %index, ptr %part)
  %failed = icmp ne i32 %set, 0
  br i1 %failed, label %clear, label %done
clear:
  call void @PyErr_Clear()
  br label %done
done:
  ret void
}

; Copy a result into the array that an operand is.
define void @copy_into(ptr %state, ptr %row) {
  %into.number = field i64 step.what %row
  %from.number = field i64 step.offset %row
  %bytes = field i64 step.bytes %row
  %pointers = field ptr state.pointers %state
  %into.at = getelementptr ptr, ptr %pointers, i64 %into.number
  %from.at = getelementptr ptr, ptr %pointers, i64 %from.number
  %into = load ptr, ptr %into.at
  %from = load ptr, ptr %from.at
  %same = call ptr @memcpy(ptr %into, ptr %from, i64 %bytes)
  ret void
}

; Drop the references of a table, whose places are empty afterwards.
define void @let_go(ptr %table, i64 %n) {
start:
  br label %head
head:
  %i = phi i64 [0, %start], [%i.next, %next]
  %more = icmp ult i64 %i, %n
  br i1 %more, label %one, label %done
one:
  %at = getelementptr ptr, ptr %table, i64 %i
  %object = load ptr, ptr %at
  %empty = icmp eq ptr %object, null
  br i1 %empty, label %next, label %drop
drop:
  store ptr null, ptr %at
  call void @Py_DecRef(ptr %object)
  br label %next
next:
  %i.next = add i64 %i, 1
  br label %head
done:
  ret void
}

