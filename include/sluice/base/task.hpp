// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <coroutine>
#include <exception>
#include <optional>
#include <type_traits>
#include <utility>

#include "sluice/base/recycler.hpp"

namespace sluice {

template <class T = void>
class Task;

namespace detail {

struct PromiseBase {
    static void* operator new(std::size_t size) { return recycler::allocate(size); }
    static void operator delete(void* frame, std::size_t size) noexcept {
        recycler::release(frame, size);
    }

    struct FinalAwaiter {
        bool await_ready() const noexcept { return false; }
        template <class Promise>
        std::coroutine_handle<> await_suspend(std::coroutine_handle<Promise> self) const noexcept {
            return self.promise().continuation;
        }
        void await_resume() const noexcept {}
    };

    std::suspend_always initial_suspend() const noexcept { return {}; }
    FinalAwaiter final_suspend() const noexcept { return {}; }
    void unhandled_exception() noexcept { exception = std::current_exception(); }

    std::coroutine_handle<> continuation = std::noop_coroutine();
    std::exception_ptr exception{};
};

template <class T>
struct Promise : PromiseBase {
    Task<T> get_return_object();
    template <class U>
    void return_value(U&& v) {
        value.emplace(std::forward<U>(v));
    }
    std::optional<T> value{};
};

template <>
struct Promise<void> : PromiseBase {
    Task<void> get_return_object();
    void return_void() const noexcept {}
};

}  // namespace detail

/// A coroutine that starts when awaited and resumes its awaiter when done. The frame lives as
/// long as the Task and is recycled per thread; a Task never changes thread.
template <class T>
class [[nodiscard]] Task {
public:
    using promise_type = detail::Promise<T>;

    Task(Task&& other) noexcept : handle_{std::exchange(other.handle_, {})} {}
    Task& operator=(Task&&) = delete;
    ~Task() {
        if (handle_) handle_.destroy();
    }

    bool await_ready() const noexcept { return false; }
    std::coroutine_handle<> await_suspend(std::coroutine_handle<> awaiter) noexcept {
        handle_.promise().continuation = awaiter;
        return handle_;
    }
    T await_resume() {
        promise_type& finished = handle_.promise();
        if (finished.exception) std::rethrow_exception(finished.exception);
        if constexpr (!std::is_void_v<T>) return std::move(*finished.value);
    }

private:
    friend promise_type;
    explicit Task(promise_type& promise)
        : handle_{std::coroutine_handle<promise_type>::from_promise(promise)} {}

    std::coroutine_handle<promise_type> handle_;
};

template <class T>
Task<T> detail::Promise<T>::get_return_object() {
    return Task<T>{*this};
}
inline Task<void> detail::Promise<void>::get_return_object() { return Task<void>{*this}; }

/// A coroutine nobody waits for: runs until its first suspension when called, frees itself at the
/// end. Must not let an exception out.
struct Detached {
    struct promise_type {
        static void* operator new(std::size_t size) { return recycler::allocate(size); }
        static void operator delete(void* frame, std::size_t size) noexcept {
            recycler::release(frame, size);
        }
        Detached get_return_object() const noexcept { return {}; }
        std::suspend_never initial_suspend() const noexcept { return {}; }
        std::suspend_never final_suspend() const noexcept { return {}; }
        void return_void() const noexcept {}
        void unhandled_exception() const noexcept { std::terminate(); }
    };
};

}  // namespace sluice
